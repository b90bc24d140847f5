import LabMachine
import SystemPackage

/// Interrupts a session from another thread: a pipe that the session waits on.
struct Bell: Sendable {
  enum Message: UInt8 { case cancelled, windowSizeChanged }

  let listener: FileDescriptor
  private let button: FileDescriptor

  init() throws {
    (listener, button) = try FileDescriptor.pipe()
    listener.setNonBlocking()
    button.setNonBlocking()
  }

  func ring(_ message: Message) { _ = try? button.writeSome([message.rawValue]) }

  /// What was rung since the last time.
  func heard() throws -> [Message] { try (listener.readSome(64) ?? []).compactMap(Message.init) }

  func close() {
    try? listener.close()
    try? button.close()
  }
}
