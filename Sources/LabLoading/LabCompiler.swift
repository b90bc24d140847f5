import Glibc
import LabKit
import LabMachine
import LabModel
import LabProcesses
import SystemPackage

/// Turns a lab file into the topology that the lab describes, as JSON.
///
/// A `.swift` lab is compiled against the LabKit of this program, and its process prints the topology. The binary is
/// cached, so that the compiler runs only when the lab, LabKit or the compiler have changed. Neither the compiler nor
/// the lab runs with privileges: under sudo they run as the invoking user, and for a real root as nobody.
package struct LabCompiler: Sendable {
  /// Lets a real root run a lab as root, for a compiler that nobody else may use.
  package var runAsRoot = false
  /// How long the lab's own process may take.
  package var timeLimit: Duration = .seconds(10)
  /// How many bytes a topology may have.
  package var sizeLimit = 64 << 20
  /// How much is kept of the labs that were compiled.
  var cacheLimits = CacheLimits()
  /// Takes what the compiler warns of and what the lab prints on standard error, line by line.
  package var log: @Sendable (String) -> Void = { _ in }

  /// Where swiftc is looked for besides PATH, which sudo shortens; and in the user's ~/.local/share/swiftly/bin.
  var compilerDirectories = ["/usr/local/bin", "/usr/bin"]

  private let runner: ProcessRunner
  private let environment: [String: String]
  private let compileTimeLimit: Duration = .seconds(300)
  /// Bytes of address space for the lab's process: enough for any topology, and not for taking the machine down.
  private let memoryLimit = 8 << 30

  /// - Parameters:
  ///   - runner: what starts the compiler and the lab.
  ///   - environment: says where things are: PATH, HOME, XDG_CACHE_HOME, NETLAB_LABKIT, SUDO_UID, SUDO_GID.
  package init(
    runner: ProcessRunner = ProcessRunner(), environment: [String: String] = LabCompiler.initialEnvironment
  ) {
    self.runner = runner
    self.environment = environment
  }

  /// Loads a lab.
  ///
  /// - Parameters:
  ///   - path: a `.swift` file, or a `.json` file that `netlab compile` wrote.
  ///   - arguments: for the lab, such as `--set vms=100`. A `.json` file takes none.
  /// - Returns: the bytes of the topology's JSON.
  package func load(labFile path: String, arguments: [String] = []) async throws(LoadingError) -> [UInt8] {
    let path = absolute(path)
    let user = try LabUser.current(runAsRoot: runAsRoot, environment: environment)
    if path.hasSuffix(".json") {
      if !user.isNobody { try user.checkRights() }
      guard arguments.isEmpty else {
        throw .unusableFile(
          path: path, reason: "a compiled lab has no parameters to set",
          remedy: "Give the parameters to `netlab compile`, or use the .swift file.")
      }
      return try source(of: path, user: user)
    }
    guard path.hasSuffix(".swift") else {
      throw .unusableFile(
        path: path, reason: "it is neither a .swift nor a .json file",
        remedy: "Labs are files of one of these kinds.")
    }
    try user.checkRights()
    let build = LabBuild(
      labFile: path, source: try source(of: path, user: user), user: user,
      compiler: try compiler(for: user),
      library: try LabKitLibrary.locate(for: runner.helper.string, chosen: environment["NETLAB_LABKIT"]))
    do {
      let lock = try user.accessingFiles { () throws(FileError) in
        try CacheLock(directory: build.cache.directory)
      }
      defer { lock.release() }
      lock.noteUse()
      try build.checkAccess()
      // Shared as long as the binary is in use; a process that replaces it waits until then.
      await lock.take(exclusive: false)
      if !build.isCurrent {
        await lock.take(exclusive: true)
        if !build.isCurrent { try await compile(build) }
      }
      return try await topology(of: build, arguments: arguments)
    } catch let error as LoadingError {
      throw error
    } catch let error as FileError {
      throw .environment(
        attempt: error.attempt, reason: "\(error.code)",
        remedy:
          "Compiled labs are kept in \(user.cache). Make room and permission there, or set XDG_CACHE_HOME.")
    } catch {
      throw .environment(attempt: "load the lab \(path)", reason: "\(error)", remedy: "Try again.")
    }
  }

  private func compiler(for user: LabUser) throws(LoadingError) -> SwiftCompiler {
    let path = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    return try SwiftCompiler.locate(
      in: path + compilerDirectories + ["\(user.home)/.local/share/swiftly/bin"])
  }

  private func source(of path: String, user: LabUser) throws(LoadingError) -> [UInt8] {
    let source: [UInt8]
    do {
      source = try user.accessingFiles { () throws(FileError) in try Files.read(path, limit: sizeLimit) }
    } catch {
      let remedy =
        switch error.code {
        case .noSuchFileOrDirectory: "Check the path; `netlab new` writes a lab to start from."
        case .isDirectory: "Give one of the lab files in it."
        case .fileTooLarge: "A lab may have \(sizeLimit) bytes."
        default: "A lab must be a regular file that the user who runs netlab may read."
        }
      throw .unusableFile(path: path, reason: "\(error.code)", remedy: remedy)
    }
    guard !source.isEmpty else {
      throw .unusableFile(
        path: path, reason: "it is empty", remedy: "`netlab new` writes a lab to start from.")
    }
    guard String(validating: source, as: UTF8.self) != nil else {
      throw .unusableFile(path: path, reason: "it is not UTF-8 text", remedy: "Save it as UTF-8.")
    }
    return source
  }

  private func compile(_ build: LabBuild) async throws {
    if build.user.isNobody { try await fillModules(of: build) }
    let place = try build.prepare()
    defer { build.cleanUp(place) }
    var result = try await run(build, in: place, modules: build.modules)
    if build.user.isNobody, !result.status.isSuccess, result.errorOutput.contains(build.modules) {
      // The lab imports what is not in there.
      result = try await run(build, in: place, modules: "\(place.output)/modules")
    }
    switch result.status {
    case .exited(0):
      for line in result.errorOutput.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
        log(String(line))
      }
      try build.install(from: place)
      build.user.accessingFiles { cacheLimits.apply(to: build.user.cache) }
    case .exited(1):
      throw LoadingError.notCompiled(
        path: build.labFile, diagnostics: build.explained(result.output + result.errorOutput))
    default:
      throw LoadingError.environment(
        attempt: "run the compiler \(build.compiler.path)", reason: "\(result.status)\n\(result.errorOutput)",
        remedy: "See whether `swiftc --version` works for the user that the lab is compiled as.")
    }
  }

  private func run(_ build: LabBuild, in place: LabBuild.Place, modules: String) async throws -> ProcessResult
  {
    var options = ProcessRunner.Options(user: build.user.identifiers)
    options.workshop = build.workshop(for: place)
    options.cpuLimit = Int(compileTimeLimit.components.seconds)
    let command = build.command(in: place, modules: modules, coloured: isatty(STDERR_FILENO) == 1)
    return try await runCompiler(command, options: options, temporary: place.output)
  }

  /// Compiles, as root, a source of our own that imports what labs may import.
  private func fillModules(of build: LabBuild) async throws {
    let directory = build.modules
    let lock = try CacheLock(directory: directory)
    defer { lock.release() }
    await lock.take(exclusive: true)
    let (source, done) = ("\(directory)/imports.swift", "\(directory)/complete")
    guard Files.identity(of: done) == nil else { return }
    try Files.write(Array("import Foundation\nimport Synchronization\n".utf8), to: source, permissions: 0o644)
    let command =
      [build.compiler.path, "-typecheck"] + SwiftCompiler.options + ["-module-cache-path", directory, source]
    // If it fails, the compiler will have more to say about the lab itself.
    _ = try await runCompiler(command, options: ProcessRunner.Options(), temporary: "/tmp")
    // The compiler lets others read its files, but not enter its directories.
    for name in try Files.list(directory)
    where Files.identity(of: "\(directory)/\(name)")?.isDirectory == true {
      _ = unsafe chmod("\(directory)/\(name)", 0o755)
    }
    try Files.write([], to: done, permissions: 0o644)
  }

  private func runCompiler(
    _ command: [String], options: ProcessRunner.Options, temporary: String
  ) async throws -> ProcessResult {
    var options = options
    // The compiler has to be able to enter its working directory, and the lab's user may not be able to enter this.
    options.directory = "/"
    return try await runner.run(
      command, options: options, environment: minimalEnvironment(home: temporary, temporary: temporary),
      timeout: compileTimeLimit, outputLimit: 16 << 20)
  }

  private func topology(of build: LabBuild, arguments: [String]) async throws -> [UInt8] {
    var options = ProcessRunner.Options(user: build.user.identifiers)
    options.workshop = build.workshopForEvaluation
    options.cpuLimit = Int(timeLimit.components.seconds) + 1
    options.memoryLimit = memoryLimit
    do {
      let (trap, result) = try await runner.withProcess(
        [build.cache.binary, "--emit-topology"] + arguments, options: options,
        environment: minimalEnvironment(home: build.user.home, temporary: "/tmp")
          .merging(build.compiler.backtraceVariables) { $1 },
        outputLimit: sizeLimit
      ) { process in
        async let trap = relay(process.standardError.lines, of: build)
        guard await process.exit(within: timeLimit) else {
          throw failure(of: build, "it was still running after \(timeLimit)", "Look for a loop without end.")
        }
        return await trap
      }
      for line in trap.rest { log(line) }
      return try checked(result, trap, of: build)
    } catch ProcessError.outputLimitExceeded {
      throw failure(of: build, "it printed more than \(sizeLimit) bytes", "A topology is smaller than that.")
    }
  }

  private func relay(_ lines: AsyncStream<String>, of build: LabBuild) async -> Trap {
    var trap = Trap(labFile: build.labFile)
    for await line in lines {
      for line in trap.take(line) { log(line) }
    }
    return trap
  }

  private func checked(
    _ result: ProcessResult, _ trap: Trap, of build: LabBuild
  ) throws(LoadingError) -> [UInt8] {
    if [.signalled(SIGILL), .signalled(SIGTRAP)].contains(result.status) {
      throw failure(of: build, trap.description, "Correct the lab there.")
    }
    if result.status == .exited(LabDocument.refusal), !result.standardError.isEmpty {
      throw .refused(words: result.errorOutput)
    }
    guard result.status.isSuccess else {
      throw failure(of: build, "its process ended: \(result.status)", "What it printed before says why.")
    }
    let first = result.standardOutput.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") }
    guard first == UInt8(ascii: "{") else {
      throw failure(
        of: build, first == nil ? "it printed nothing" : "it printed something else on standard output",
        "A lab is `import LabKit` and one type `@main struct …: Lab`, with no `main` of its own.")
    }
    return result.standardOutput
  }

  private func failure(of build: LabBuild, _ reason: String, _ remedy: String) -> LoadingError {
    .labFailed(path: build.labFile, reason: reason, remedy: remedy)
  }

  /// The little that the compiler and a lab see of this process's environment.
  private func minimalEnvironment(home: String, temporary: String) -> [String: String] {
    ["PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": home, "TMPDIR": temporary]
  }
}

extension LabCompiler {
  /// The environment that this process was started with.
  package static var initialEnvironment: [String: String] {
    let variables = (try? Files.read("/proc/self/environ"))?.split(separator: 0) ?? []
    let pairs = variables.map {
      $0.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
    }
    return Dictionary(
      pairs.filter { $0.count == 2 && !$0[1].isEmpty }
        .map { (String(decoding: $0[0], as: UTF8.self), String(decoding: $0[1], as: UTF8.self)) },
      uniquingKeysWith: { first, _ in first })
  }
}

/// The path from the root, as it was typed otherwise.
private func absolute(_ path: String) -> String {
  if path.hasPrefix("/") { return path }
  let relative = path.split(separator: "/").drop { $0 == "." }.joined(separator: "/")
  guard let current = unsafe getcwd(nil, 0) else { return "/\(relative)" }
  defer { unsafe free(current) }
  return unsafe "\(String(cString: current))/\(relative)"
}
