import CNetlink
import Dispatch
import Glibc
import LabMachine
import SystemPackage

/// The caller's terminal, lent to the guest: every key goes there, Ctrl-C too, and the guest's terminal has its size.
struct Terminal {
  /// The near end of the pseudo-terminal whose far end is the guest's console.
  let nearEnd: FileDescriptor
  let guestEnd: FileDescriptor
  private let settings: termios
  private let sizeChanges: any DispatchSourceSignal

  init(bell: Bell) throws {
    var guestEnd: Int32 = -1
    let nearEnd = unsafe cnl_sandbox_open_terminal(&guestEnd)
    guard nearEnd >= 0 else { throw hostError("open a pseudo-terminal") }
    self.nearEnd = FileDescriptor(rawValue: nearEnd)
    self.guestEnd = FileDescriptor(rawValue: guestEnd)
    self.nearEnd.setNonBlocking()

    var current = termios()
    _ = unsafe tcgetattr(STDIN_FILENO, &current)
    settings = current
    unsafe cfmakeraw(&current)
    _ = unsafe tcsetattr(STDIN_FILENO, TCSADRAIN, &current)

    sizeChanges = DispatchSource.makeSignalSource(signal: SIGWINCH)
    sizeChanges.setEventHandler { bell.ring(.windowSizeChanged) }
    sizeChanges.resume()
    copyWindowSize()
  }

  func copyWindowSize() { cnl_sandbox_copy_window_size(STDIN_FILENO, nearEnd.rawValue) }

  func restore() {
    sizeChanges.cancel()
    var original = settings
    _ = unsafe tcsetattr(STDIN_FILENO, TCSADRAIN, &original)
    try? nearEnd.close()
  }
}
