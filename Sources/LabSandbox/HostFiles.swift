import CNetlink
import Glibc
import LabMachine
import SystemPackage

// The few system calls of the sandbox that take pointers, in one place.

func isExecutable(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

func fileExists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

/// The absolute path of a folder, without symbolic links; nil when there is no such folder.
func resolvedFolder(_ path: String) -> String? {
  var status = stat()
  guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
    let resolved = unsafe realpath(path, nil)
  else { return nil }
  defer { unsafe free(resolved) }
  return unsafe String(cString: resolved)
}

/// The environment of this process, byte for byte, without the variables in `names`.
func inheritedEnvironment(without names: some Collection<String>) -> [[UInt8]] {
  var variables: [[UInt8]] = []
  var entry = unsafe environ
  while let variable = unsafe entry.pointee {
    let bytes = unsafe Array(UnsafeRawBufferPointer(start: variable, count: strlen(variable)))
    if !names.contains(where: { bytes.starts(with: Array("\($0)=".utf8)) }) { variables.append(bytes) }
    unsafe entry += 1
  }
  return variables
}

/// The file this process was started from.
func ownProgram() throws -> String {
  var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
  let length = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
  guard length > 0 else { throw hostError("find this program's own file") }
  return String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// Makes a folder that only the caller can enter.
func makeTemporaryFolder(in parent: String) throws -> String {
  var path = Array("\(parent)/netlab-sandbox.XXXXXX".utf8CString)
  guard unsafe mkdtemp(&path) != nil else { throw hostError("make a folder in \(parent)") }
  return String(decoding: path.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// The bytes free in a folder that allows programs to be mapped from its files; nil for any other.
func executableRoom(in folder: String) -> UInt64? {
  let noExec: UInt = 8  // ST_NOEXEC, which Glibc does not show to Swift
  var system = statvfs()
  guard unsafe access(folder, W_OK) == 0, unsafe statvfs(folder, &system) == 0, system.f_flag & noExec == 0
  else { return nil }
  return UInt64(system.f_bavail) * UInt64(system.f_frsize)
}

/// An error of the last system call.
func hostError(_ attempt: String) -> SandboxError {
  .host(attempt: attempt, reason: Errno(rawValue: errno).description)
}

extension FileDescriptor {
  enum Kind: String { case file, terminal, stream, nothing }

  /// What can be done with it: a device that is no terminal, and a closed descriptor, have nothing to give.
  var kind: Kind {
    switch (try? stat())?.type {
    case .regular: .file
    case .fifo, .socket: .stream
    default: isatty(rawValue) == 1 ? .terminal : .nothing
    }
  }

  /// Reads at most `count` bytes; none at the end, nil when there are none now.
  func readSome(_ count: Int) throws(Errno) -> [UInt8]? {
    while true {
      var bytes = [UInt8](repeating: 0, count: count)
      let length = unsafe Glibc.read(rawValue, &bytes, count)
      if length >= 0 { return Array(bytes[..<length]) }
      let failure = Errno(rawValue: errno)
      if failure == .wouldBlock { return nil }
      if failure != .interrupted { throw failure }
    }
  }

  /// Writes what there is room for; returns how many bytes that were.
  func writeSome(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
    while true {
      let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(rawValue, $0.baseAddress, $0.count) }
      if count >= 0 { return count }
      let failure = Errno(rawValue: errno)
      if failure == .wouldBlock { return 0 }
      if failure != .interrupted { throw failure }
    }
  }

  func setNonBlocking() { _ = fcntl(rawValue, F_SETFL, fcntl(rawValue, F_GETFL) | O_NONBLOCK) }
}

/// Waits until one of the descriptors is ready, or `timeout` (milliseconds, -1 for none) has passed.
func waitForAny(of set: inout [pollfd], timeout: Int32) throws {
  let count = nfds_t(set.count)
  guard unsafe poll(&set, count, timeout) >= 0 || errno == EINTR else {
    throw hostError("wait for the guest")
  }
}

/// Tells when a file in one of the folders is written to, made or renamed, by having something to read.
func watchFolders(_ paths: [String]) throws -> FileDescriptor {
  let watch = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
  for path in paths {
    guard watch >= 0, unsafe inotify_add_watch(watch, path, UInt32(IN_MODIFY | IN_CREATE | IN_MOVED_TO)) >= 0
    else {
      throw hostError("watch \(path)")
    }
  }
  return FileDescriptor(rawValue: watch)
}
