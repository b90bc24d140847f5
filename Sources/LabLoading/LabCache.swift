import Dispatch
import Glibc
import LabKit
import LabMachine
import LabModel
import LabProcesses
import SystemPackage

/// The place of one lab's binary in the cache: one directory for each absolute path of a lab.
///
/// `current` in it holds the binary, the source it was made of, and a stamp of all else that it depends on. It
/// appears there by a rename, complete. Reading it takes a shared lock, replacing it an exclusive one.
struct LabCache {
  let directory: String
  private let source: [UInt8]
  private let stamp: [UInt8]

  var current: String { "\(directory)/current" }
  var binary: String { "\(current)/lab" }
  /// Where the next `current` is put together.
  var next: String { "\(directory)/next" }
  /// Holds the temporary directories of those that use the lab now.
  var temporary: String { "\(directory)/temporary" }

  init(root: String, labFile: String, source: [UInt8], stamp: String) {
    let stem = labFile.split(separator: "/").last?.prefix { $0 != "." } ?? ""
    let name = String(stem.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }.prefix(40))
    directory = "\(root)/labs/\(name)-\(String(StableHash.hash(labFile), radix: 16))"
    self.source = source
    self.stamp = Array("\(labFile)\n\(stamp)\n".utf8)
  }

  /// Whether `binary` is what compiling would give, and what compiling gave: nobody but the owner has changed it since.
  func isValid(owner: UInt32) -> Bool {
    guard let source = try? OwnedFile("\(current)/lab.swift", owner: owner), source.bytes == self.source,
      let stamp = try? OwnedFile("\(current)/stamp", owner: owner), stamp.bytes.starts(with: self.stamp),
      let binary = try? OwnedFile(binary, owner: owner), !binary.isShared
    else { return false }
    return stamp.bytes == completed(with: binary.bytes)
  }

  /// The stamp of a certain binary.
  private func completed(with binary: [UInt8]) -> [UInt8] {
    stamp + Array("\(OwnedFile.fingerprint(of: binary))\n".utf8)
  }

  /// Makes an empty `next`, with the copy of the source that is to be compiled.
  func prepare() throws(FileError) {
    try Files.remove(next)
    try Files.makeDirectories(next, permissions: 0o755)
    try Files.write(source, to: "\(next)/lab.swift", permissions: 0o600)
  }

  /// Puts `next` in the place of `current`, with this binary.
  func install(_ binary: [UInt8]) throws(FileError) {
    try Files.write(binary, to: "\(next)/lab", permissions: 0o755)
    try Files.write(completed(with: binary), to: "\(next)/stamp", permissions: 0o600)
    try Files.remove(current)
    try Files.rename(next, to: current)
  }
}

/// A lock on a directory of the cache; it ends with the process that holds it at the latest.
struct CacheLock {
  private let file: FileDescriptor

  /// Opens the lock without taking it.
  init(directory: String) throws(FileError) {
    try Files.makeDirectories(directory, permissions: 0o755)
    do {
      file = try FileDescriptor.open(
        FilePath("\(directory)/lock"), .readOnly, options: [.create, .closeOnExec, .noFollow],
        permissions: FilePermissions(rawValue: 0o600))
    } catch {
      throw FileError("open \(directory)/lock", error as? Errno ?? .ioError)
    }
  }

  /// Waits for the lock, on a thread that nobody else needs.
  func take(exclusive: Bool) async {
    let operation = exclusive ? LOCK_EX : LOCK_SH
    let descriptor = file.rawValue
    if flock(descriptor, operation | LOCK_NB) == 0 { return }
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        while flock(descriptor, operation) != 0 && errno == EINTR {}
        continuation.resume()
      }
    }
  }

  /// Takes the lock alone if nobody has it.
  func takeAtOnce() -> Bool { flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 }

  /// Notes that what is locked is in use.
  func noteUse() { _ = futimens(file.rawValue, nil) }

  func release() { try? file.close() }
}
