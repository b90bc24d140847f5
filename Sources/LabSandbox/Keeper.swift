import CNetlink
import Glibc
import LabMachine
import SystemPackage

/// The process that guards a guest's kernel, and ends with this one.
final class Keeper {
  private let process: pid_t
  /// Readable when the kernel and all of its processes are gone.
  let control: FileDescriptor
  private(set) var isStopped = false

  /// Starts a kernel.
  ///
  /// - Parameters:
  ///   - arguments: The kernel's path and its arguments.
  ///   - folder: What to remove should this process be killed.
  ///   - memoryFolder: Where the guest's memory goes.
  ///   - console: The file that takes the kernel's messages.
  ///   - channel: What becomes the kernel's descriptor 3.
  init(arguments: [String], folder: String, memoryFolder: String, console: String, channel: FileDescriptor?)
    throws
  {
    let console = try FileDescriptor.open(
      FilePath(console), .writeOnly, options: [.create, .append, .closeOnExec], permissions: .ownerReadWrite)
    defer { try? console.close() }
    let bytes = arguments.nulEnded.map { CChar(bitPattern: $0) }
    var control: Int32 = -1
    process = unsafe cnl_sandbox_start(
      bytes, bytes.count, folder, memoryFolder, console.rawValue, channel?.rawValue ?? -1, &control)
    self.control = FileDescriptor(rawValue: control)
    guard process > 0 else { throw hostError("start \(arguments[0])") }
  }

  /// Kills what is left of the guest and waits until it is gone.
  func stop() {
    guard !isStopped else { return }
    isStopped = true
    cnl_sandbox_stop(process, control.rawValue)
  }
}
