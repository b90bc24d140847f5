import Glibc
import LabMachine

/// How much the cache may hold. Above that, the labs go that have not been used for the longest time.
struct CacheLimits {
  var labs = 100
  var bytes = 256 << 20

  /// Removes what is too much below the cache's root. Labs in use stay.
  func apply(to root: String) {
    var entries = ((try? Files.list("\(root)/labs")) ?? []).compactMap { Entry("\(root)/labs/\($0)") }
    entries.sort { ($0.use.tv_sec, $0.use.tv_nsec) < ($1.use.tv_sec, $1.use.tv_nsec) }
    var total = entries.map(\.bytes).reduce(0, +)
    var count = entries.count
    for entry in entries where count > labs || total > bytes {
      guard entry.remove() else { continue }
      count -= 1
      total -= entry.bytes
    }
  }

  /// A compiled lab of the cache.
  private struct Entry {
    let directory: String
    let bytes: Int
    let use: timespec

    init?(_ directory: String) {
      var status = stat()
      guard unsafe stat("\(directory)/lock", &status) == 0,
        let files = try? Files.list("\(directory)/current"), !files.isEmpty
      else { return nil }
      self.directory = directory
      use = status.st_mtim
      bytes = files.compactMap {
        Files.identity(of: "\(directory)/current/\($0)", followingLinks: false)?.size
      }
      .reduce(0, +)
    }

    /// Removes the binary. The lock stays, since somebody may be waiting for it.
    func remove() -> Bool {
      guard let lock = try? CacheLock(directory: directory) else { return false }
      defer { lock.release() }
      guard lock.takeAtOnce() else { return false }
      return (try? Files.remove("\(directory)/current")) != nil
    }
  }
}
