import Glibc
import LabMachine
import SystemPackage

/// The life of one guest: carries its streams, and ends when the command does, or when it must.
struct Session {
  let folder: WorkFolder
  let changes: FileDescriptor
  let keeper: Keeper
  let bell: Bell
  let timeLimit: Duration?
  let deadline: ContinuousClock.Instant?
  let terminal: Terminal?
  var outputs: [Relay]
  var input: Relay?
  private var isListening = false
  private var isTimeUp = false

  /// Runs a command in a guest, from the making of the work folder to its removal.
  static func run(_ command: GuestCommand, memory: String, timeLimit: Duration?, bell: Bell) throws -> Int32 {
    let deadline = timeLimit.map { ContinuousClock.now + $0 }
    let streams = StreamPlan()
    let folder = try WorkFolder(for: command, streams: streams.files)
    defer { folder.remove() }
    if streams.input == .file { try folder.copy(.standardInput, to: "input") }
    let changes = try watchFolders([folder.path, folder.shared])
    defer { try? changes.close() }
    let terminal = streams.input == .terminal ? try Terminal(bell: bell) : nil
    defer { terminal?.restore() }
    let pipe = streams.input == .stream ? try FileDescriptor.pipe() : nil
    // Its reading end stays open here, so that writing never meets a broken pipe.
    defer { for end in [pipe?.readEnd, pipe?.writeEnd] { try? end?.close() } }
    pipe?.writeEnd.setNonBlocking()

    let files = try streams.files.map { try folder.open($0, .readOnly) }
    defer { for file in files { try? file.close() } }
    var outputs = zip(streams.files, files).map { name, file in
      Relay(from: file, to: name == "error" ? .standardError : .standardOutput, kind: .growingFile)
    }
    if let terminal { outputs.append(Relay(from: terminal.nearEnd, to: .standardOutput, kind: .stream)) }

    let keeper = try Keeper(
      arguments: kernelArguments(memory: memory, folder: folder, input: streams.input), folder: folder.path,
      memoryFolder: memoryFolder(for: memory), console: folder.console,
      channel: terminal?.guestEnd ?? pipe?.readEnd)
    defer { keeper.stop() }
    try terminal?.guestEnd.close()
    let inputSink = terminal?.nearEnd ?? pipe?.writeEnd
    var session = Session(
      folder: folder, changes: changes, keeper: keeper, bell: bell, timeLimit: timeLimit, deadline: deadline,
      terminal: terminal, outputs: outputs,
      input: inputSink.map {
        Relay(from: .standardInput, to: $0, kind: .stream, isPacketed: terminal == nil)
      })
    return try session.result()
  }

  private mutating func result() throws -> Int32 {
    while !keeper.isStopped || !outputs.allSatisfy(\.isFinished) {
      let ready = try wait()
      try hearBell()
      if ready.keeper || ready.changes { try notice(keeperHasEnded: ready.keeper) }
      if let deadline, .now >= deadline, !keeper.isStopped {
        isTimeUp = true
        stop()
      }
      for index in outputs.indices where ready.outputs[index] { try outputs[index].advance() }
      if ready.input, !keeper.isStopped { try input?.advance() }
    }
    if let status = folder.exitStatus { return status }
    if isTimeUp, let timeLimit { throw SandboxError.timeLimitExceeded(timeLimit) }
    throw SandboxError.kernelEnded(console: folder.lastWords)
  }

  /// Waits until there is something to do, and says what.
  private func wait() throws -> (changes: Bool, keeper: Bool, outputs: [Bool], input: Bool) {
    let isRunning = !keeper.isStopped
    var set = [
      pollfd(fd: bell.listener.rawValue, events: Int16(POLLIN), revents: 0),
      pollfd(fd: changes.rawValue, events: Int16(POLLIN), revents: 0),
      pollfd(fd: isRunning ? keeper.control.rawValue : -1, events: Int16(POLLIN), revents: 0),
      isRunning && isListening ? input?.interest ?? .nothing : .nothing,
    ]
    set += outputs.map(\.interest)
    let isBusy = outputs.contains(where: \.isReady)
    let limit = isRunning ? deadline.map(\.millisecondsLeft) : nil
    try waitForAny(of: &set, timeout: isBusy ? 0 : limit ?? -1)
    return (
      changes: set[1].revents != 0, keeper: set[2].revents != 0,
      outputs: outputs.indices.map { outputs[$0].isReady || set[4 + $0].revents != 0 },
      input: set[3].revents != 0
    )
  }

  private func hearBell() throws {
    for message in try bell.heard() {
      switch message {
      case .cancelled: throw CancellationError()
      case .windowSizeChanged: terminal?.copyWindowSize()
      }
    }
  }

  /// Looks at what the guest did to the work folder.
  private mutating func notice(keeperHasEnded: Bool) throws {
    while let events = try changes.readSome(4096), !events.isEmpty {}
    for index in outputs.indices { outputs[index].sourceHasChanged = true }
    isListening = isListening || folder.has("ready")
    // The guest's work is done when the status is there; its kernel need not take the time to halt. One that has
    // panicked never ends by itself.
    if keeperHasEnded || folder.exitStatus != nil || folder.hasPanic { stop() }
  }

  private mutating func stop() {
    keeper.stop()
    for index in outputs.indices { outputs[index].complete() }
  }
}

/// How the caller's standard streams reach the guest.
private struct StreamPlan {
  let input: FileDescriptor.Kind
  /// The files that take the command's output; what has none goes to the terminal.
  let files: [String]

  init() {
    let input = FileDescriptor.standardInput.kind
    let hasTerminal = input == .terminal && FileDescriptor.standardOutput.kind == .terminal
    self.input = input == .terminal && !hasTerminal ? .nothing : input
    files =
      !hasTerminal ? ["output", "error"] : FileDescriptor.standardError.kind == .terminal ? [] : ["error"]
  }
}

private func kernelArguments(memory: String, folder: WorkFolder, input: FileDescriptor.Kind) throws
  -> [String]
{
  let channel: [String] =
    switch input {
    case .terminal: ["con1=fd:3"]
    case .stream: ["ssl0=fd:3,null"]
    case .file, .nothing: []
    }
  // Quotes, because the kernel takes its command line apart again. Names it does not know become the environment of
  // its first process.
  return [
    Sandbox.kernelPath, "mem=\(memory)", "rootfstype=hostfs", "rootflags=/", "ro",
    "init=\"\(try ownProgram())\"",
    "netlab_folder=\"\(folder.shared)\"", "netlab_input=\(input.rawValue)", "uml_dir=\(folder.path)/uml/",
    "con=null", "con0=null,fd:1", "noreboot", "panic=-1", "quiet",
    // A second of its start goes into finding the fastest way to check disks that it does not have, and into 512
    // terminals of a kind that nothing opens any more.
    "initcall_blacklist=raid6_select_algo", "pty.legacy_count=0",
  ] + channel
}

/// The guest's memory is a file: the first place with room for all of it, or else the one with the most room.
private func memoryFolder(for memory: String) -> String {
  let unit: UInt64 = memory.hasSuffix("G") ? 1 << 30 : memory.hasSuffix("M") ? 1 << 20 : 1 << 10
  let wanted = UInt64(memory.dropLast()).map { $0 * unit } ?? 0
  let places = ["/dev/shm", environmentVariable("TMPDIR") ?? "/tmp", "/tmp"]
    .compactMap { path in executableRoom(in: path).map { (path: path, room: $0) } }
  let best = places.first { $0.room >= wanted } ?? places.max { $0.room < $1.room }
  return best?.path ?? "/tmp"
}

extension pollfd {
  fileprivate static var nothing: pollfd { pollfd(fd: -1, events: 0, revents: 0) }
}

extension ContinuousClock.Instant {
  fileprivate var millisecondsLeft: Int32 {
    let left = (self - .now) / .milliseconds(1)
    return Int32(min(max(left.rounded(.up), 0), 1_000_000_000))
  }
}
