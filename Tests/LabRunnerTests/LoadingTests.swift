import Glibc
import Testing
import Values

@testable import LabCapture
@testable import LabChecks
@testable import LabGraph
@testable import LabInspect
@testable import LabKernel
@testable import LabKit
@testable import LabLifecycle
@testable import LabLoading
@testable import LabMachine
@testable import LabModel
@testable import LabMutation
@testable import LabProcesses
@testable import LabSandbox
@testable import LabTrace

@Suite struct LoadingTests {
  @Test func compilesOnceAndRunsEachTime() async throws {
    try await withLab(#"print("{\"arguments\": \(CommandLine.arguments.dropFirst())}")"#) { lab in
      let first = try await lab.load(arguments: ["--set", "vms=3"])
      #expect(first == "{\"arguments\": [\"--emit-topology\", \"--set\", \"vms=3\"]}\n")
      let binaries = try await lab.binaries()
      #expect(binaries.count == 1)
      let second = try await lab.load(arguments: ["--set", "vms=4"])
      #expect(second.contains("vms=4"))
      let same = try await lab.binaries()
      #expect(same == binaries)
    }
  }

  @Test func compilesAgainWhenEdited() async throws {
    try await withLab(#"print("{\"version\": 1}")"#) { lab in
      let first = try await lab.load()
      #expect(first.contains("1"))
      try await lab.write(#"print("{\"version\": 2}")"#)
      let second = try await lab.load()
      #expect(second.contains("2"))
    }
  }

  @Test func compilesAgainWhenTheLibraryIsReplaced() async throws {
    try await withLab { lab in
      let library = lab.directory + "/LabKit"
      try await shell(
        "mkdir \(library); cp \(buildDirectory)/libLabKit.so \(buildDirectory)/Modules/LabKit.swiftmodule \(buildDirectory)/Modules/Values.swiftmodule \(library)"
      )
      _ = try await lab.load(environment: ["NETLAB_LABKIT": library])
      let old = try await lab.binaries()
      try await shell("touch \(library)/libLabKit.so")
      _ = try await lab.load(environment: ["NETLAB_LABKIT": library])
      let new = try await lab.binaries()
      #expect(old != new)
    }
  }

  /// `#filePath` is what the positions of a lab's elements are made of.
  @Test func sourcePositionsAreTheUsers() async throws {
    try await withLab(#"print("{\"place\": \"\(#filePath):\(#line)\"}")"#) { lab in
      let topology = try await lab.load()
      #expect(topology == "{\"place\": \"\(lab.path):4\"}\n")
    }
  }

  @Test func odderPaths() async throws {
    try await withLab(#"print("{\"place\": \"\(#filePath)\"}")"#) { lab in
      let path = lab.directory + "/my “\\\" lab-1.x.swift"
      try await shell("cp \(lab.path) \"$TARGET\"", ["TARGET": path])
      let topology = try await lab.load(path)
      #expect(topology == "{\"place\": \"\(path)\"}\n")
    }
  }

  @Test func compileErrorsAreTheCompilersWords() async throws {
    try await withLab("let number: Int = \"text\"") { lab in
      let error = await lab.failure()
      let swiftc = try await netlab.run(
        [
          "swiftc", "-typecheck", "-parse-as-library", "-swift-version", "6", "-I",
          buildDirectory + "/Modules", lab.path,
        ])
      #expect(swiftc.errorOutput.contains("cannot convert value of type 'String'"))
      #expect(error.description == swiftc.errorOutput)
      #expect(error.exitCode == 2)
      let left = try await shell("find \(lab.directory)/cache -name next -o -name current")
      #expect(left == "")
    }
  }

  @Test func warningsAreLogged() async throws {
    try await withLab("let unused = 1\nprint(\"{}\")") { lab in
      _ = try await lab.load()
      #expect(lab.log.contains { $0.contains("\(lab.path):4:5: warning:") })
    }
  }

  @Test func whatTheLabPrintsOnStandardErrorIsLogged() async throws {
    try await withLab(#"fputs("hello\nworld", stderr); print("{}")"#, prelude: "@preconcurrency import Glibc")
    { lab in
      _ = try await lab.load()
      #expect(lab.log == ["hello", "world"])
    }
  }

  @Test func manyAtOnceCompileOnce() async throws {
    try await withLab { lab in
      try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<6 { group.addTask { try await lab.load() } }
        for try await topology in group { #expect(topology == "{}\n") }
      }
      let builds = try await lab.binaries()
      #expect(builds.count == 1)
    }
  }

  @Test func theEnvironmentIsMinimal() async throws {
    try await withLab(
      #"print("{\(ProcessInfo.processInfo.environment.keys.sorted())}")"#, prelude: "import Foundation"
    ) { lab in
      let topology = try await lab.load(environment: ["SECRET": "x"])
      #expect(topology == "{[\"HOME\", \"LANG\", \"PATH\", \"SWIFT_BACKTRACE\", \"TMPDIR\"]}\n")
    }
  }

  @Test func endlessLoop() async throws {
    try await withLab("while true {}") { lab in
      let error = await lab.failure { $0.timeLimit = .milliseconds(300) }
      #expect(error.description.contains("still running after 0.3 seconds"))
      #expect(error.exitCode == 2)
    }
  }

  @Test func flood() async throws {
    try await withLab(#"while true { print("{", String(repeating: "x", count: 1000)) }"#) { lab in
      let error = await lab.failure { $0.sizeLimit = 100_000 }
      #expect(error.description.contains("it printed more than 100000 bytes"))
    }
  }

  @Test func killed() async throws {
    try await withLab("raise(SIGKILL)", prelude: "import Glibc") { lab in
      let error = await lab.failure()
      #expect(error.description.contains("its process ended: killed by signal 9"))
    }
  }

  @Test func exitStatus() async throws {
    try await withLab("exit(2)", prelude: "import Glibc") { lab in
      let error = await lab.failure()
      #expect(error.description.contains("its process ended: exit status 2"))
    }
  }

  @Test(arguments: [("", "printed nothing"), (#"print("hello {}")"#, "printed something else")])
  func notATopology(body: String, words: String) async throws {
    try await withLab(body) { lab in
      let error = await lab.failure()
      #expect(error.description.contains(words))
    }
  }

  @Test func noCompiler() async throws {
    try await withLab { lab in
      let error = await lab.failure(environment: ["PATH": "/nowhere", "HOME": "/nobody"]) {
        $0.compilerDirectories = []
      }
      #expect(error.description.hasPrefix("cannot compile the lab: there is no swiftc in /nowhere, "))
      #expect(error.description.contains(".json"))
      #expect(error.exitCode == 3)
    }
  }

  @Test func noLabKit() async throws {
    try await withLab { lab in
      let error = await lab.failure(environment: ["NETLAB_LABKIT": "/no/LabKit"])
      #expect(error.description.contains("/no/LabKit"))
      #expect(error.description.contains("swift build --product LabKit"))
      #expect(error.exitCode == 3)
    }
  }

  @Test func files() async throws {
    try await withLab { lab in
      let directory = lab.directory
      try await shell(
        """
        cd \(directory); mkdir dir.swift; touch empty.swift; printf '\\377' >bytes.swift; mkfifo pipe.swift
        printf '{"a": 1}' >lab.json; head -c 2000 /dev/zero >large.json; ln -s nothing link.swift
        """)
      let json = try await lab.load(directory + "/lab.json")
      #expect(json == #"{"a": 1}"#)
      let cases = [
        ("none.swift", "No such file or directory"), ("dir.swift", "Is a directory"),
        ("empty.swift", "it is empty"),
        ("bytes.swift", "not UTF-8"), ("pipe.swift", "Invalid argument"), ("large.json", "File too large"),
        ("link.swift", "No such file or directory"), ("lab.txt", "neither a .swift nor a .json"),
      ]
      for (name, words) in cases {
        let error = await lab.failure("\(directory)/\(name)") { $0.sizeLimit = 1000 }
        #expect(error.description.contains(words), "\(name): \(error)")
        #expect(error.description.contains("\(directory)/\(name)"))
        #expect(error.exitCode == 2)
      }
      let parameters = await lab.failure(directory + "/lab.json", arguments: ["--set", "vms=1"])
      #expect(parameters.description.contains("no parameters"))
    }
  }

  @Test func cacheThatCannotBeWritten() async throws {
    try await withLab { lab in
      let error = await lab.failure(environment: ["XDG_CACHE_HOME": "/proc/nowhere"])
      #expect(error.description.contains("cannot make the directory /proc/nowhere"))
      #expect(error.exitCode == 3)
    }
  }
}

/// As whom a lab runs. These tests need root.
@Suite struct LabUserTests {
  private let identity = #"print("{\(getuid()) \(geteuid()) \(getgid()) \(getgroups(0, nil))}")"#

  @Test func rootsLabRunsAsNobody() async throws {
    try #require(geteuid() == 0, "this test needs root")
    try await withLab(identity, prelude: "import Glibc") { lab in
      let topology = try await lab.load()
      #expect(topology == "{65534 65534 65534 1}\n")
    }
  }

  @Test func rootIsRootWhenTold() async throws {
    try #require(geteuid() == 0, "this test needs root")
    try await withLab(identity, prelude: "import Glibc") { lab in
      let topology = try await lab.load { $0.runAsRoot = true }
      #expect(topology.hasPrefix("{0 0 0 "))
    }
  }

  /// Only root may read it, and its directory; yet messages and positions show its path.
  @Test func filesThatOnlyRootReads() async throws {
    try #require(geteuid() == 0, "this test needs root")
    try await withLab(#"print("{\"place\": \"\(#filePath):\(#line)\"}")"#) { lab in
      let path = lab.directory + "/private/lab.swift"
      try await shell(
        "cd \(lab.directory); mkdir -m 700 private; mv lab.swift private; chmod 600 private/lab.swift")
      let topology = try await lab.load(path)
      #expect(topology == "{\"place\": \"\(path):4\"}\n")
      try await shell("echo nonsense >>\(path)")
      let error = await lab.failure(path)
      #expect(error.description.contains("\(path):6:1: error:"))
    }
  }

  @Test func workingDirectoryThatOnlyRootEnters() async throws {
    try #require(geteuid() == 0, "this test needs root")
    try await withLab { lab in
      try await shell("mkdir -m 700 \(lab.directory)/private; mv \(lab.path) \(lab.directory)/private")
      let (directory, cache) = (lab.directory + "/private", lab.directory + "/cache")
      await #expect(processExitsWith: .success) {
        [directory = directory as String, cache = cache as String] in
        let changed = unsafe chdir(directory)
        #expect(changed == 0)
        let variables = LabCompiler.initialEnvironment.merging(["XDG_CACHE_HOME": cache]) { $1 }
        let topology = try await LabCompiler(runner: netlab, environment: variables).load(
          labFile: "./lab.swift")
        #expect(String(decoding: topology, as: UTF8.self) == "{}\n")
      }
    }
  }

  @Test func privateTemporaryDirectory() async throws {
    try #require(geteuid() == 0, "this test needs root")
    let name = "netlab-test-\(getpid())"
    let body = """
      let directory = ProcessInfo.processInfo.environment["TMPDIR"]!
      try! "text".write(toFile: directory + "/\(name)", atomically: false, encoding: .utf8)
      print("{" + directory)
      """
    try await withLab(body, prelude: "import Foundation") { lab in
      let directory = try await lab.load()
      #expect(directory == "{/tmp\n")
      let left = try await shell("ls /tmp/\(name) 2>&1 || true")
      #expect(left.contains("No such file"))
    }
  }

  @Test func descendantsOfALabEndWithIt() async throws {
    try #require(geteuid() == 0, "this test needs root")
    let lifeLine = try await LifeLine()
    try await lifeLine.allowAll()
    let body = """
      let command = "\(lifeLine.shell) exec setsid sleep 1000 >/dev/null 2>&1 &"
      precondition(system(command) == 0)
      print("{}")
      """
    try await withLab(body, prelude: "import Glibc") { lab in
      _ = try await lab.load()
      let held = try await lifeLine.isHeld()
      #expect(!held)
    }
    #expect(try await lifeLine.hasEnded())
  }

  @Test func cacheThatNobodyCanEnter() async throws {
    try #require(geteuid() == 0, "this test needs root")
    try await withLab { lab in
      try await shell("chmod 700 \(lab.directory)/cache")
      let error = await lab.failure()
      #expect(error.description.contains("that user may not use \(lab.directory)/cache/netlab/labs/lab-"))
      #expect(error.exitCode == 3)
    }
  }

  @Test func underSudoAsTheInvokingUser() async throws {
    try #require(geteuid() == 0, "this test needs root")
    try await withLab(identity, prelude: "import Glibc") { lab in
      let sudo = ["SUDO_UID": "1", "SUDO_GID": "1"]
      try await shell("chown 1:1 \(lab.directory)/cache; chmod 700 \(lab.directory)/cache")
      let topology = try await lab.load(environment: sudo)
      #expect(topology == "{1 1 1 1}\n")
      let cached = try await lab.load(environment: sudo)
      #expect(cached == topology)
      let foreign = try await shell("find \(lab.directory)/cache ! -user 1")
      #expect(foreign == "")
      // What that user may not read, sudo does not read for them.
      try await shell("chown 0:0 \(lab.path); chmod 600 \(lab.path)")
      let error = await lab.failure(environment: sudo)
      #expect(error.description.contains("Permission denied"))
    }
  }

  @Test func underSudoAsAUserThatDoesNotExist() async throws {
    try #require(geteuid() == 0, "this test needs root")
    try await withLab { lab in
      let error = await lab.failure(environment: ["SUDO_UID": "3999999", "SUDO_GID": "1"])
      #expect(error.description.contains("no user with the id 3999999"))
      #expect(error.exitCode == 3)
    }
  }
}
