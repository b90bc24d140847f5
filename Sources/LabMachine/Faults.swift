import Glibc
import Netlink
import Synchronization

/// Crashes, signals and errors on demand, for the tests of crash safety.
///
/// Everything that `up` and `down` do to the kernel or to a file is a step, and so is the beginning and the end of each
/// check and the start of each of its processes. Steps are counted from 1. Written as `kill:N` (end by SIGKILL instead
/// of taking step N), `INT:N`, `TERM:N`, `HUP:N` (that signal comes before step N) or `ENOMEM:N` (step N fails with that
/// error); several, for what goes wrong while the first is being undone, are separated by commas. The requests of a
/// batch are then sent one by one.
package final class Faults: Sendable {
  private enum Fault {
    case signal(CInt)
    case fail(CInt)
  }

  private static let signals = ["kill": SIGKILL, "INT": SIGINT, "TERM": SIGTERM, "HUP": SIGHUP]
  private let faults: [Int: Fault]
  private let count = Mutex(0)

  /// Only counts steps, if there is nothing in the text; `nil` if it means nothing.
  package init?(_ text: String = "") {
    var faults: [Int: Fault] = [:]
    for item in text.split(separator: ",") {
      let parts = item.split(separator: ":")
      guard parts.count == 2, let step = Int(parts[1]) else { return nil }
      if let signal = Self.signals[String(parts[0])] {
        faults[step] = .signal(signal)
      } else {
        let code = (1...133).first { NetlinkError(operation: "", code: $0).codeName == parts[0] }
        guard let code else { return nil }
        faults[step] = .fail(code)
      }
    }
    self.faults = faults
  }

  /// How many steps have been taken or tried.
  package var steps: Int { count.withLock { $0 } }

  /// Comes before each step: gives the error that it has to fail with, or does not return.
  package func next() -> CInt? {
    let step = count.withLock { count in
      count += 1
      return count
    }
    switch faults[step] {
    case .signal(let signal):
      // It is heard on another thread, which would not be started while all processors are busy.
      repeat {
        kill(getpid(), signal)
        poll(nil, 0, 1)
      } while !Task.isCancelled
      return nil
    case .fail(let code): return code
    case nil: return nil
    }
  }
}
