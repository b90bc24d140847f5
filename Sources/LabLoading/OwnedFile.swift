import Glibc
import LabMachine
import SystemPackage

/// A file that one user alone can have written. All is read from one descriptor, so nobody can exchange the file between a
/// look at it and its reading.
struct OwnedFile {
  let bytes: [UInt8]
  /// Whether others may write to it.
  let isShared: Bool

  /// Tells the bytes from others: their number, and a hash.
  static func fingerprint(of bytes: [UInt8]) -> String {
    let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return "\(bytes.count) \(String(hash, radix: 16))"
  }

  /// Reads it.
  ///
  /// - Throws: also when it is a link, has another name, or belongs to somebody else.
  init(_ path: String, owner: UInt32) throws(FileError) {
    do {
      let file = try FileDescriptor.open(
        FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking, .noFollow])
      (bytes, isShared) = try file.closeAfter {
        var status = stat()
        guard unsafe fstat(file.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 1 else { throw Errno.invalidArgument }
        guard status.st_uid == owner else { throw Errno.permissionDenied }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(status.st_size))
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
          let length = try unsafe chunk.withUnsafeMutableBytes { buffer in try unsafe file.read(into: buffer)
          }
          if length == 0 { break }
          bytes += chunk[..<length]
        }
        return (bytes, status.st_mode & 0o022 != 0)
      }
    } catch {
      throw FileError("read \(path)", error as? Errno ?? .ioError)
    }
  }
}
