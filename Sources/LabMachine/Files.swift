import CNetlink
import Glibc
import Netlink
import SystemPackage

/// A file operation that the kernel refused.
package struct FileError: Error, CustomStringConvertible {
  package let attempt: String
  package let code: Errno

  package init(_ attempt: String, _ code: Errno = Errno(rawValue: errno)) {
    self.attempt = attempt
    self.code = code
  }

  package var description: String { "\(attempt): \(code)" }
}

/// The few file operations that loading needs. Paths are absolute; errors name what was attempted.
package enum Files {
  /// What tells one version of a file from another without reading it.
  package struct Identity: Hashable {
    package let device, inode: UInt
    package let size, seconds, nanoseconds: Int
    package let mode: UInt32
    package let owner: UInt32

    package var isRegular: Bool { mode & S_IFMT == S_IFREG }
    package var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
  }

  /// The identity of the file that a path leads to; `nil` when there is none.
  package static func identity(of path: String, followingLinks: Bool = true) -> Identity? {
    var status = stat()
    guard unsafe fstatat(AT_FDCWD, path, &status, followingLinks ? 0 : AT_SYMLINK_NOFOLLOW) == 0 else {
      return nil
    }
    return Identity(
      device: UInt(status.st_dev), inode: UInt(status.st_ino), size: Int(status.st_size),
      seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec, mode: status.st_mode,
      owner: status.st_uid)
  }

  /// The bytes of a regular file, which are at most `limit`, or EFBIG.
  package static func read(_ path: String, limit: Int = .max, followingLinks: Bool = true) throws(FileError)
    -> [UInt8]
  {
    do {
      // Not blocking: a FIFO is refused below, instead of waited for.
      let file = try FileDescriptor.open(
        FilePath(path), .readOnly,
        options: followingLinks ? [.closeOnExec, .nonBlocking] : [.closeOnExec, .nonBlocking, .noFollow])
      return try file.closeAfter {
        var status = stat()
        guard unsafe fstat(file.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw Errno.isDirectory }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Errno.invalidArgument }
        var bytes: [UInt8] = []
        while true {
          let chunk = try unsafe [UInt8](unsafeUninitializedCapacity: max(Int(status.st_size), 4096) + 1) {
            buffer, count in
            count = try unsafe file.read(into: UnsafeMutableRawBufferPointer(buffer))
          }
          if chunk.isEmpty { return bytes }
          bytes += chunk
          guard bytes.count <= limit else { throw Errno.fileTooLarge }
        }
      }
    } catch {
      throw FileError("read \(path)", error as? Errno ?? .ioError)
    }
  }

  /// Makes `path` a file with these bytes, which must not exist yet.
  package static func write(_ bytes: [UInt8], to path: String, permissions: UInt32) throws(FileError) {
    do {
      let file = try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
        permissions: FilePermissions(rawValue: permissions))
      _ = try file.closeAfter { try file.writeAll(bytes) }
    } catch {
      throw FileError("write \(path)", error as? Errno ?? .ioError)
    }
  }

  /// Makes the directory and those above it, where they do not exist.
  package static func makeDirectories(_ path: String, permissions: UInt32) throws(FileError) {
    if unsafe mkdir(path, permissions) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let parent = path.lastIndex(of: "/"), parent != path.startIndex else {
      throw FileError("make the directory \(path)")
    }
    try makeDirectories(String(path[..<parent]), permissions: permissions)
    guard unsafe mkdir(path, permissions) == 0 || errno == EEXIST else {
      throw FileError("make the directory \(path)")
    }
  }

  /// Makes a new directory that only its owner may enter, with a name of its own.
  package static func makeTemporaryDirectory(in parent: String) throws(FileError) -> String {
    let template = "\(parent)/netlab-XXXXXX"
    var characters = template.utf8CString
    let made = unsafe characters.withUnsafeMutableBufferPointer { buffer -> String? in
      guard let path = unsafe mkdtemp(buffer.baseAddress!) else { return nil }
      return unsafe String(cString: path)
    }
    guard let made else { throw FileError("make the directory \(template)") }
    return made
  }

  /// Gives a file or directory to a user.
  package static func give(_ path: String, to user: UInt32, group: UInt32) throws(FileError) {
    guard unsafe lchown(path, user, group) == 0 else { throw FileError("change the owner of \(path)") }
  }

  package static func rename(_ source: String, to target: String) throws(FileError) {
    guard unsafe Glibc.rename(source, target) == 0 else { throw FileError("rename \(source) to \(target)") }
  }

  /// Removes a file, or a directory with all that is in it, without following links; nothing when there is none.
  package static func remove(_ path: String) throws(FileError) {
    guard unsafe cnl_remove_tree(path) == 0 || errno == ENOENT else { throw FileError("remove \(path)") }
  }

  /// The names in a directory, without `.` and `..`; none when there is no such directory.
  package static func list(_ path: String) throws(FileError) -> [String] {
    guard let directory = unsafe opendir(path) else {
      if errno == ENOENT { return [] }
      throw FileError("list \(path)")
    }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}

extension Files {
  /// Makes a directory that nobody else may look into, or checks that the one that is there is such a one.
  package static func makePrivateDirectory(_ path: String) throws(FileError) {
    guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw FileError("make the directory \(path)")
    }
    guard let identity = identity(of: path, followingLinks: false) else { throw FileError("look at \(path)") }
    guard identity.isDirectory else { throw FileError("use \(path) as a directory", .notDirectory) }
    guard identity.owner == geteuid() else {
      throw FileError("use \(path), which belongs to somebody else", .permissionDenied)
    }
    if identity.mode & 0o077 != 0, unsafe chmod(path, 0o700) != 0 { throw FileError("make \(path) private") }
  }

  /// Removes one file; nothing when there is none.
  package static func removeFile(_ path: String) throws(FileError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw FileError("remove \(path)") }
  }

  /// Whether there is an empty file at a path. A namespace that is bound to the path looks like one, and is not.
  package static func isEmptyFile(_ path: String) -> Bool {
    guard let identity = identity(of: path, followingLinks: false) else { return false }
    let folder = Self.identity(of: String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)))
    return identity.isRegular && identity.size == 0 && identity.device == folder?.device
  }
}
