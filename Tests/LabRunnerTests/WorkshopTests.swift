import Glibc
import Testing

@testable import LabLoading
@testable import LabMachine
@testable import LabProcesses

/// What a lab's code can reach while it is evaluated. These tests need root.
@Suite struct WorkshopTests {
  /// A lab that tries to write to each path it is given, to put a link in its place, and to reach each process.
  private static let attack = """
    var won: [String] = []
    for path in CommandLine.arguments.dropFirst(2) {
      let file = open(path, O_WRONLY | O_TRUNC)
      if file >= 0, write(file, "poison", 6) == 6 { won.append("write \\(path)") }
      if rename("/tmp/link", path) == 0 || symlink("/etc/passwd", path + ".new") == 0 { won.append("replace \\(path)") }
      if unlink(path) == 0 { won.append("unlink \\(path)") }
    }
    for process in 3...40000 as ClosedRange<pid_t> where process != getpid() && kill(process, 0) == 0 {
      won.append("signal \\(process)")
    }
    print("{\\(won)}")
    """

  /// The compiler of the victim waits until the attack is over; its workshop is nobody's, as is the attacker's process.
  @Test func aLabThatIsEvaluatedCannotReachOneThatIsCompiled() async throws {
    try #require(geteuid() == 0, "this test needs root")
    try await withLab(#"print("{\"honest\": true}")"#) { victim in
      try await shell(
        """
        cd \(victim.directory); mkdir bin; chmod 755 bin
        printf '#!/bin/sh\\nif [ $(id -u) != 0 ]; then
          : >"$TMPDIR/started"; while ! [ -e "$TMPDIR/go" ]; do sleep 0.01; done; fi\\nexec %s "$@"\\n' \
          $(command -v swiftc) >bin/swiftc
        chmod 755 bin/swiftc
        """)
      let search = victim.directory + "/bin:" + (LabCompiler.initialEnvironment["PATH"] ?? "")
      async let loading = victim.load(environment: ["PATH": search])
      let output = try await shell(
        """
        cd \(victim.directory)/cache; for try in $(seq 6000); do
          place=$(find . -name started -printf '%h\\n' 2>/dev/null) && [ "$place" ] && cd "$place" && pwd && exit
          sleep 0.01
        done; exit 1
        """)
      // Without the workshop it would be the attacker's to change: they have one user.
      try await shell("setpriv --reuid 65534 --regid 65534 --clear-groups touch \(output)/started")
      try await withLab(Self.attack, prelude: "import Glibc") { attacker in
        let place = directory(of: output)
        let targets = [
          "\(output)/started", "\(output)/lab", "\(place)/lab.swift", "\(place)/overlay.yaml",
          "\(place)/libLabKit.so",
          victim.path, "\(victim.directory)/cache/netlab/labs/x",
        ]
        let cache = ["XDG_CACHE_HOME": victim.directory + "/cache"]
        let won = try await attacker.load(arguments: targets, environment: cache)
        #expect(won == "{[]}\n")
        // Now as one that lies in the cache beside it.
        let binary = try await shell("find \(victim.directory)/cache -name lab -path '*/current/*'")
        let again = try await attacker.load(
          arguments: ["--set", binary, "\(directory(of: binary))/stamp"], environment: cache)
        #expect(again == "{[]}\n")
      }
      try await shell(": >\(output)/go")
      let topology = try await loading
      #expect(topology == "{\"honest\": true}\n")
      let spoilable = try await shell(
        "find \(victim.directory)/cache/netlab ! -user root -o -perm /022 -type f")
      #expect(spoilable == "")
    }
  }

  /// The cache is the user's, and so is the attacker's process.
  @Test func underSudoALabCannotChangeTheUsersCache() async throws {
    try #require(geteuid() == 0, "this test needs root")
    try await withLab { victim in
      try await shell("chown 1:1 \(victim.directory)/cache")
      var user = Self.users[1]
      user["XDG_CACHE_HOME"] = victim.directory + "/cache"
      _ = try await victim.load(environment: user)
      let binary = try await shell("find \(victim.directory)/cache -name lab -user 1")
      try await withLab(Self.attack, prelude: "import Glibc") { [user] attacker in
        let targets = [
          "--set", binary, "\(directory(of: binary))/stamp", "\(directory(of: binary))/lab.swift",
        ]
        let won = try await attacker.load(arguments: targets, environment: user)
        #expect(won == "{[]}\n")
      }
    }
  }

  /// What is in the cache is compiled again when it is not what the compiler made.
  @Test(arguments: [
    "printf x >>lab", "cp lab new; mv new lab; chown 65534 lab", "chmod 777 lab", "ln lab other",
    "mv lab other; ln -s other lab", "printf x >>stamp", "chown 65534 lab.swift",
  ])
  func aChangedBinaryIsNotRun(change: String) async throws {
    try #require(geteuid() == 0, "this test needs root")
    try await withLab { lab in
      _ = try await lab.load()
      let old = try await shell("stat -c %i \(lab.directory)/cache/netlab/labs/*/current")
      _ = try await lab.load()
      let same = try await shell("stat -c %i \(lab.directory)/cache/netlab/labs/*/current")
      #expect(same == old)
      try await shell("cd \(lab.directory)/cache/netlab/labs/*/current; \(change)")
      _ = try await lab.load()
      let new = try await shell("stat -c %i \(lab.directory)/cache/netlab/labs/*/current")
      #expect(new != old)
    }
  }

  static let users: [[String: String]] = [[:], ["SUDO_UID": "1", "SUDO_GID": "1"]]

  @Test(arguments: users) func itHasNoNetworkAndLeavesNothing(user: [String: String]) async throws {
    try #require(geteuid() == 0, "this test needs root")
    let body = """
      var found: [String] = []
      for line in try! String(contentsOfFile: "/proc/net/dev", encoding: .utf8).split(separator: "\\n").dropFirst(2) {
        found.append(String(line.split(separator: ":")[0]).filter { $0 != " " })
      }
      for folder in ["/tmp", "/var/tmp", "/dev/shm"] {
        if !FileManager.default.createFile(atPath: folder + "/left", contents: Data(count: 1000)) { found.append(folder) }
        let file = open(folder + "/large", O_WRONLY | O_CREAT, 0o600)
        let bytes = [UInt8](repeating: 0, count: 1 << 20)
        var size = 0
        while size < 70, write(file, bytes, bytes.count) == bytes.count { size += 1 }
        if size >= 64 { found.append("\\(folder) has no limit") }
      }
      for place in ["/", "/etc", "/run", "/dev/pts", "/var/cache", NSHomeDirectory()] where place != "/run" && place != "/dev/pts" {
        if FileManager.default.createFile(atPath: place + "/netlab-test-left", contents: Data()) { found.append(place) }
      }
      if !(try! FileManager.default.contentsOfDirectory(atPath: "/dev/pts")).isEmpty { found.append("terminals") }
      print("{\\(found)}")
      """
    try await withLab(body, prelude: "import Foundation") { lab in
      try await shell("chown 1:1 \(lab.directory)/cache")
      let found = try await lab.load(environment: user)
      #expect(found == "{[\"lo\"]}\n")
      let left = try await shell("ls -d /tmp/left /var/tmp/left /dev/shm/left 2>/dev/null || true")
      #expect(left == "")
    }
  }

  @Test(arguments: users) func itsProcessesAreLimitedAndEndWithIt(user: [String: String]) async throws {
    try #require(geteuid() == 0, "this test needs root")
    let sleep = "sleep 1000.\(getpid())\(user.count)"
    let body = """
      let status = system("i=0; while [ $i -lt 400 ]; do \(sleep) & i=$((i+1)); done")
      print("{\\(status != 0)}")
      """
    try await withLab(body, prelude: "import Glibc") { lab in
      try await shell("chown 1:1 \(lab.directory)/cache")
      let limited = try await lab.load(environment: user)
      #expect(limited == "{true}\n")
      #expect(lab.log.contains { $0.contains("Cannot fork") })
      let left = try await shell("ps axo args | grep '^\(sleep)' || true")
      #expect(left == "")
    }
  }

  @Test func aLabCannotOpenItsWorkshop() async throws {
    try #require(geteuid() == 0, "this test needs root")
    let body = """
      var won: [String] = []
      for command in ["unshare -U true", "unshare -n true", "mount -o remount,rw /", "umount /tmp", "chmod 777 /tmp/.."] {
        if system(command + " 2>/dev/null") == 0 { won.append(command) }
      }
      print("{\\(won)}")
      """
    try await withLab(body, prelude: "import Glibc") { lab in
      let won = try await lab.load()
      #expect(won == "{[]}\n")
    }
  }
}
