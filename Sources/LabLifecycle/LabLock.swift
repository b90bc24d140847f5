import Glibc
import LabKernel
import LabKit
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// The lock of one lab, held by this process until it is released or the process ends.
package final class LabLock {
  private let descriptor: CInt

  /// `nil` when the lock's file was removed while this process waited for it, or its task was cancelled.
  init?(path: String, waiting: () -> Void) throws(FileError) {
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw FileError("open \(path)")
    }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      waiting()
      guard try Self.wait(for: descriptor, path) else { return nil }
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0,
      let current = Files.identity(of: path, followingLinks: false),
      current.inode == UInt(status.st_ino), current.device == UInt(status.st_dev)
    else { return nil }
  }

  /// Waits until the holder closes the file, which its end does as well; `false` if the task is cancelled first.
  private static func wait(for descriptor: CInt, _ path: String) throws(FileError) -> Bool {
    let events = inotify_init1(CInt(IN_CLOEXEC))
    guard events >= 0 else { throw FileError("watch \(path)") }
    defer { close(events) }
    // When the file is gone the holder is done; what was locked is then a file without a name.
    guard
      unsafe inotify_add_watch(events, path, UInt32(IN_CLOSE | IN_DELETE_SELF | IN_ATTRIB)) >= 0
        || errno == ENOENT
    else { throw FileError("watch \(path)") }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else { throw FileError("lock \(path)") }
      if Task.isCancelled { return false }
      // Cancelling is no event of a file, so it is looked for now and then.
      var poll = pollfd(fd: events, events: Int16(POLLIN), revents: 0)
      if unsafe Glibc.poll(&poll, 1, 100) > 0 {
        var event = [UInt8](repeating: 0, count: 4096)
        _ = unsafe read(events, &event, event.count)
      }
    }
    return true
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}
