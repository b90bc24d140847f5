import Glibc
import LabMachine
import LabModel
import Subprocess
import SystemPackage

/// Runs commands, inside network namespaces where asked, so that none outlives its run or this program.
///
/// Each command is started through a small program of netlab's (``ExecHelper``), which enters the
/// namespace and then becomes the command: no Swift code ever runs in a foreign namespace.
package struct ProcessRunner: Sendable {
  package let helper: FilePath
  /// What is to go wrong, in a test.
  var faults: Faults?
  /// Where the programs are whose output netlab reads.
  package var toolPath = CheckTool.searchPath

  /// - Parameter helper: the path of `netlab-exec`; found beside this program by default.
  package init(helper: String? = nil) {
    self.helper = FilePath(resolvingLinks(helper ?? ExecHelper.locate()))
  }

  /// The same with something that is to go wrong.
  package func with(_ faults: Faults?) -> ProcessRunner {
    var runner = self
    runner.faults = faults
    return runner
  }

  /// The whole environment of a program whose output netlab reads: the same words on every machine.
  package var toolEnvironment: [String: String] {
    var environment = ["PATH": toolPath, "LC_ALL": "C"]
    environment["TZ"] = unsafe getenv("TZ").map { unsafe String(cString: $0) }
    return environment
  }

  /// Runs a command to its end.
  ///
  /// - Parameters:
  ///   - command: the program, looked up in PATH, and its arguments.
  ///   - namespace: the path of a network namespace, such as `/run/netns/two-vms.focal-1`; `nil` for the current
  ///     one. In a namespace the command runs as `ip netns exec` would run it, and with all its descendants in a
  ///     PID namespace of their own.
  ///   - environment: its whole environment; `nil` for a copy of this process's.
  ///   - timeout: after which it is killed, and ``ProcessError/timedOut(command:limit:result:)`` thrown.
  ///   - outputLimit: in bytes, for each of the two streams.
  /// - Throws: `ProcessError`, or `CancellationError` after killing it when the task is cancelled.
  package func run(
    _ command: [String], in namespace: String? = nil, environment: [String: String]? = nil,
    timeout: Duration? = nil, outputLimit: Int = 1 << 20
  ) async throws -> ProcessResult {
    try await run(
      command, options: Options(place: namespace.map { NodePlace(namespace: $0) }), environment: environment,
      timeout: timeout,
      outputLimit: outputLimit)
  }

  /// Runs a command while `body` does: for one that must be listened to, or stopped, like tcpdump.
  ///
  /// When `body` returns or throws, a process that is still running gets SIGTERM and, half a second later, SIGKILL,
  /// with all that it started. Parameters and errors are those of
  /// ``run(_:in:environment:timeout:outputLimit:)``, and those that `body` throws; without an output limit, only lines
  /// are read, and no bytes kept.
  /// - Returns: what `body` returned, and how the process ended.
  package func withProcess<Value: Sendable>(
    _ command: [String], in namespace: String? = nil, environment: [String: String]? = nil,
    outputLimit: Int? = 16 << 20, body: (RunningProcess) async throws -> Value
  ) async throws -> (value: Value, result: ProcessResult) {
    try await withProcess(
      command, options: Options(place: namespace.map { NodePlace(namespace: $0) }), environment: environment,
      outputLimit: outputLimit,
      body: body)
  }

  package func run(
    _ command: [String], options: Options, environment: [String: String]?, timeout: Duration?,
    outputLimit: Int
  ) async throws -> ProcessResult {
    let (finished, result) = try await withProcess(
      command, options: options, environment: environment, outputLimit: outputLimit
    ) { process in
      guard let timeout else {
        await process.exit()
        return true
      }
      return await process.exit(within: timeout)
    }
    guard finished else {
      throw ProcessError.timedOut(command: described(command), limit: timeout ?? .zero, result: result)
    }
    return result
  }

  package func withProcess<Value: Sendable>(
    _ command: [String], options: Options, environment: [String: String]?, outputLimit: Int?,
    body: (RunningProcess) async throws -> Value
  ) async throws -> (value: Value, result: ProcessResult) {
    let start = ContinuousClock.now
    var platform = PlatformOptions()
    platform.createSession = true
    platform.teardownSequence = teardown
    let input = try MemoryFile.open(options.input)
    let outcome: ExecutionResult<(Result<Value, any Error>, RunningProcess), SequenceOutput, SequenceOutput>
    do {
      outcome = try await Subprocess.run(
        .path(helper), arguments: Arguments(options.arguments + ["--"] + command),
        environment: environment.map {
          .custom(Dictionary(uniqueKeysWithValues: $0.map { (.init(rawValue: $0)!, $1) }))
        } ?? .inherit,
        workingDirectory: options.directory.map { FilePath($0) }, platformOptions: platform,
        input: .fileDescriptor(input, closeAfterSpawningProcess: true),
        output: .sequence, error: .sequence
      ) { execution in
        let process = RunningProcess(outputLimit: outputLimit) { signal in
          try? execution.send(signal: Signal(rawValue: signal), toProcessGroup: true)
        }
        async let reading: Void = process.follow(
          execution.standardOutput.map(bytes), execution.standardError.map(bytes)
        ) {
          await execution.teardown(using: waiting)
        }
        let value: Result<Value, any Error>
        do {
          if let code = faults?.next() {
            throw ProcessError.notStarted(command: described(command), reason: "\(Errno(rawValue: code))")
          }
          value = .success(try await body(process))
        } catch {
          value = .failure(error)
        }
        await execution.teardown(using: teardown)
        // The process is not reaped yet, so the group is still its own: end what it left behind.
        process.send(signal: SIGKILL)
        await reading
        return (value, process)
      }
    } catch let error as SubprocessError {
      throw ProcessError.notStarted(command: described(command), reason: "\(error)")
    }
    try Task.checkCancellation()
    let (value, process) = outcome.closureResult
    if let outputLimit, process.exceededOutputLimit {
      throw ProcessError.outputLimitExceeded(command: described(command), limit: outputLimit)
    }
    return try (
      value.get(),
      ProcessResult(
        status: ProcessResult.Status(outcome.terminationStatus), standardOutput: process.standardOutput.bytes,
        standardError: process.standardError.bytes, duration: ContinuousClock.now - start)
    )
  }

  /// What the helper does before it becomes the command.
  package struct Options {
    package var place: NodePlace?
    package var user: (id: UInt32, group: UInt32)?
    /// `nil`: that of this process.
    package var directory: String?
    /// Processor seconds.
    package var cpuLimit: Int?
    /// Bytes of address space.
    package var memoryLimit: Int?
    /// What it reads from standard input.
    package var input: [UInt8] = []
    /// Closes in what is a lab's code.
    package var workshop: Workshop?

    package init(place: NodePlace? = nil, user: (id: UInt32, group: UInt32)? = nil) {
      self.place = place
      self.user = user
    }

    var arguments: [String] {
      var arguments = ["--parent", "\(getpid())"]
      if let place { arguments += place.arguments }
      if let workshop {
        arguments += workshop.arguments
      } else if place != nil || user != nil {
        // Both need the privileges that a PID namespace needs.
        arguments += ["--contain"]
      }
      if let user { arguments += ["--user", "\(user.id):\(user.group)"] }
      if let cpuLimit { arguments += ["--limit-cpu", "\(cpuLimit)"] }
      if let memoryLimit { arguments += ["--limit-memory", "\(memoryLimit)"] }
      return arguments
    }
  }
}

private let teardown: [TeardownStep] = [
  .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(500))
]

/// Signal 0 does nothing: what is left is to wait. A process may live on after it has closed its output.
private let waiting: [TeardownStep] = [
  .send(signal: Signal(rawValue: 0), allowedDurationToNextStep: .seconds(1 << 40))
]

private func bytes(_ buffer: SubprocessOutputSequence.Buffer) -> [UInt8] {
  unsafe buffer.withUnsafeBytes { unsafe Array($0) }
}

private func described(_ command: [String]) -> String { command.joined(separator: " ") }

extension ProcessResult.Status {
  fileprivate init(_ status: TerminationStatus) {
    switch status {
    case .exited(let code): self = .exited(code)
    case .signaled(let signal): self = .signalled(signal)
    }
  }
}
