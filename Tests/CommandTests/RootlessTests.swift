import Foundation
import LabChecks
import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabLoading
import LabMachine
import LabModel
import LabMutation
import LabProcesses
import LabTrace
import Testing
import Values

/// Labs of an ordinary user, on this machine's own kernel.
extension CommandTests {
  @Suite(.serialized) struct RootlessTests {
    let user: OrdinaryUser
    let name = "t\(UInt32.random(in: 0...(.max)))"

    init() throws { user = try OrdinaryUser() }

    @Test func `Everything that can be done to a lab can be done without root`() async throws {
      let file = try await user.lab(name)
      let before = try namespacesOfRoot()
      let up = try await user.netlab("up", file)
      #expect(up.status == 0 && up.output.contains("\(name) is up (3 namespaces"), "\(up)")
      #expect(user.keepers(of: name).count == 1)
      #expect(try namespacesOfRoot() == before)
      #expect(try await user.netlab("up", name).output == "\(name) is up: nothing to do\n")
      #expect(try await user.netlab("list").output.contains("\(name)  up     linuxbridge  3 namespaces"))

      let ping = try await user.netlab("exec", name, "focal-1", "--", "ping", "-c1", "192.168.21.66")
      #expect(ping.status == 0 && ping.output.contains(" 1 received"), "\(ping)")
      let lost = try await user.netlab("exec", name, "focal-1", "--", "ping", "-c1", "-W1", "192.168.21.67")
      #expect(lost.status == 1)
      let verify = try await user.netlab("verify", name)
      #expect(verify.status == 0 && verify.output.contains(" passed, 1 skipped ("), "\(verify)")
      #expect(try await user.netlab("show", name).output.contains("focal-2  eth0"))
      let trace = try await user.netlab("trace", name, "focal-1", "focal-2")
      #expect(trace.status == 0 && trace.output.contains("as predicted (5 of 5 hops"), "\(trace)")
      #expect(try await user.netlab("graph", name).output.contains("focal-1"))
      let rules = try await user.netlab("exec", name, "compute-1", "--", "nft", "add", "table", "bridge", "t")
      #expect(rules.status == 0, "\(rules)")

      #expect(try await user.netlab("status", name).status == 0)
      let cut = ["link", "set", "tap-focal-1", "down"]
      #expect(try await run(user.netlabCommand(["exec", name, "compute-1", "--", "ip"] + cut)).status == 0)
      let status = try await user.netlab("status", name)
      #expect(status.status == 1 && status.output.contains("state is down, should be up"), "\(status)")
      let failed = try await user.netlab("verify", name)
      #expect(failed.status == 1 && !failed.output.contains("`ip -n "), "\(failed)")
      #expect(failed.output.contains("`netlab exec \(name) compute-1 -- ip link set"), "\(failed)")
      // The packets of a capture that failed are the user's own.
      let captures = try FileManager.default.contentsOfDirectory(atPath: "\(user.home)/netlab-captures")
      #expect(!captures.isEmpty)
      // What is said to mend it does, in the user's own shell.
      let repair = try #require(status.output.split(separator: "\n").last).dropFirst("  netlab ".count)
      #expect(repair.hasPrefix("exec \(name) compute-1 -- ip link set"), "\(status.output)")
      #expect(try await run(user.netlabCommand(repair.split(separator: " ").map(String.init))).status == 0)
      let setting = ["sysctl", "-qw", "net.ipv4.conf.eth0.arp_filter=1"]
      #expect(try await run(user.netlabCommand(["exec", name, "focal-1", "--"] + setting)).status == 0)
      for mending in [try await user.netlab("status", name), try await user.netlab("status", name, "--json")]
      {
        #expect(mending.output.contains("netlab exec \(name) focal-1 -- sysctl"), "\(mending)")
      }
      #expect(try await user.netlab("up", name).status == 0)
      #expect(try await user.netlab("status", name).status == 0)
      #expect(try await user.netlab("up", name).output == "\(name) is up: nothing to do\n")

      #expect(try await user.netlab("down", name, "--wait").status == 0)
      #expect(try await user.netlab("status", name).errors.contains("the lab '\(name)' is not running"))
      #expect(try await user.isAlone(), "\(user.processes)")
    }

    @Test func `Packets are captured, by netlab and by a tcpdump that wants to be somebody else`()
      async throws
    {
      let file = try await user.lab(name)
      #expect(try await user.netlab("up", file).status == 0)
      for capture in [
        ["capture", name, "focal-2", "-c", "1", "icmp"],
        ["capture", name, "focal-2", "-c", "1", "-w", "\(user.runtime)/packets"],
        ["exec", name, "focal-2", "--", "tcpdump", "-i", "eth0", "-c", "1", "icmp"],
      ] {
        let (_, result) = try await ProcessRunner().withProcess(user.netlabCommand(capture)) { process in
          for await line in process.standardError.lines
          where line.contains("capturing at") || line.contains("listening on") {
            break
          }
          try await user.netlab("exec", name, "focal-1", "--", "ping", "-c1", "192.168.21.66")
          await process.exit()
        }
        #expect(result.status == .exited(0), "\(capture): \(result.errorOutput)")
        #expect(capture.contains("-w") || result.output.contains("ICMP echo request"), "\(result.output)")
      }
      #expect(try await run(["tcpdump", "-r", "\(user.runtime)/packets"]).output.contains("ICMP echo"))
      #expect(try await user.netlab("down", name).status == 0)
      #expect(try await user.isAlone())
    }

    @Test func `Labs of one user, and of root under the same name, are apart`() async throws {
      let files = [try await user.lab(name), try await user.lab("\(name)b")]
      #expect(try await netlab("up", files[0]).status == 0)
      for file in files { #expect(try await user.netlab("up", file).status == 0) }
      let list = try await user.netlab("list", "--json")
      #expect(
        try JSONDecoder().decode([Row].self, from: Data(list.output.utf8)).map(\.lab) == [name, "\(name)b"])
      // The user's is cut, and root's is not.
      let cut = ["exec", name, "compute-1", "--", "ip", "link", "set", "tap-focal-1", "down"]
      #expect(try await run(user.netlabCommand(cut)).status == 0)
      #expect(try await user.netlab("status", name).status == 1)
      #expect(try await netlab("status", name).status == 0)
      // Ctrl-C ends what is run in either.
      let blocked = ["exec", name, "focal-1", "--", "grep", "SigBlk", "/proc/self/status"]
      for command in [user.netlabCommand(blocked), [Checkout.netlab] + blocked] {
        #expect(try await run(command).output == "SigBlk:\t0000000000000000\n")
      }
      #expect(try await netlab("down", name).status == 0)
      #expect(try await user.netlab("exec", name, "focal-1", "--", "true").status == 0)
      #expect(try await user.netlab("clean").output == "there is nothing to clean\n")
      let clean = try await user.netlab("clean", "--all")
      #expect(clean.output == "removed: lab \(name), which is up\nremoved: lab \(name)b, which is up\n")
      #expect(try await user.netlab("list").output == "no lab is running\n")
      #expect(try await user.isAlone())
    }

    @Test func `With its keeper a lab is gone, and can come up again`() async throws {
      let file = try await user.lab(name)
      for command in [["status", name], ["list"], ["clean"], ["up", file]] {
        #expect(try await user.netlab("up", file).status == 0)
        #expect(try await user.netlab("list").output.contains(name))
        let keepers = user.keepers(of: name)
        #expect(keepers.count == 1)
        for keeper in keepers { kill(keeper, SIGKILL) }
        while !user.processes.isEmpty { await Task.yield() }
        #expect(user.sockets == [name], "nobody was there to remove it")
        let outcome = try await run(user.netlabCommand(command))
        switch command[0] {
        case "status":
          #expect(outcome.status == 2)
          #expect(outcome.errors.contains("the lab '\(name)' is not running any more"), "\(outcome.errors)")
        case "list": #expect(outcome.output == "no lab is running\n")
        case "clean": #expect(outcome.output == "there is nothing to clean\n")
        default: #expect(outcome.output.contains("3 namespaces"), "\(outcome)")
        }
        if command[0] != "up" { #expect(user.sockets == []) }
      }
      #expect(try await user.netlab("down", name).status == 0)
      #expect(try await user.isAlone())
    }

    @Test func `Without its socket, which nobody can come by again, a keeper ends`() async throws {
      #expect(try await user.netlab("up", user.lab(name)).status == 0)
      try FileManager.default.removeItem(atPath: "\(user.runtime)/netlab/\(name)")
      #expect(try await user.isAlone())
    }

    @Test func `A failed up leaves no keeper, and a killed one a lab to be mended or removed`() async throws {
      let file = try await user.lab(name)
      let failed = try await user.netlab("up", file, environment: ["NETLAB_FAULT": "ENOMEM:9"])
      #expect(failed.status == 4, "\(failed)")
      #expect(try await user.isAlone())
      let kept = try await user.netlab("up", file, "--keep", environment: ["NETLAB_FAULT": "ENOMEM:9"])
      #expect(kept.status == 4)
      #expect(try await user.netlab("status", name).output.contains("it failed"))
      #expect(try await user.netlab("down", name).status == 0)
      #expect(try await user.isAlone())
      for (turn, step) in [1, 2, 3, 7, 13, 20].enumerated() {
        let killed = try await user.netlab("up", file, environment: ["NETLAB_FAULT": "kill:\(step)"])
        #expect(killed.status == 128 + SIGKILL, "step \(step): \(killed)")
        switch turn % 3 {
        case 0:
          let up = try await user.netlab("up", file)
          #expect(up.status == 0, "step \(step): \(up)")
          #expect(try await user.netlab("status", name).status == 0)
          #expect(try await user.netlab("down", name).status == 0)
        case 1: #expect(try await user.netlab("down", name).status == 0)
        default: #expect(try await user.netlab("clean").status == 0)
        }
        #expect(try await user.isAlone(), "step \(step)")
      }
    }

    @Test func `Several that work on a lab at once come to one keeper, which does not end before the lab`()
      async throws
    {
      let file = try await user.lab(name)
      func atOnce(_ commands: [[String]]) async throws {
        try await withThrowingTaskGroup { group in
          for command in commands { group.addTask { try await run(user.netlabCommand(command)) } }
          for try await outcome in group { #expect(outcome.status == 0, "\(outcome)") }
        }
      }
      for _ in 0..<15 {
        try await atOnce([["up", file], ["up", file], ["up", file]])
        #expect(user.keepers(of: name).count == 1)
        try await atOnce([["down", name], ["up", file]])
        // Whichever came last: a lab that is up stays up.
        if try await user.netlab("list").output != "no lab is running\n" {
          #expect(try await user.netlab("status", name).status == 0)
          #expect(try await user.netlab("down", name).status == 0)
        }
        #expect(try await user.isAlone())
      }
    }

    @Test func `A test has a world of its own`() async throws {
      // A lab of the same name that runs is none of its business.
      let file = try await user.lab(name)
      #expect(try await user.netlab("up", file).status == 0)
      let good = try await user.netlab("test", file)
      #expect(good.status == 0 && good.output.contains(" passed, 1 skipped ("), "\(good)")
      #expect(!good.output.contains("User-Mode-Linux"))
      #expect(try await user.netlab("status", name).status == 0)
      #expect(try await user.netlab("down", name).status == 0)
      let bad = try await user.netlab(
        "test", user.lab(name) { $0.checks.append(Check(Run(on: "focal-1", "false"))) })
      #expect(bad.status == 1 && bad.output.contains("1 failed"), "\(bad)")
      #expect(bad.output.contains("\(name) is down"))
      #expect(try await user.isAlone())
      let kept = try await user.netlab(
        "test", user.lab(name) { $0.checks.append(Check(Run(on: "focal-1", "false"))) }, "--keep")
      #expect(kept.status == 1 && kept.errors.contains("netlab down \(name)"), "\(kept)")
      #expect(try await user.netlab("down", name).status == 0)
      #expect(try await user.isAlone())
    }

    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGKILL, 128 + SIGKILL)] as [(CInt, CInt)])
    func `A test that is interrupted leaves nothing`(signal: CInt, status: CInt) async throws {
      let file = try await user.lab(name) { document in
        document.checks = [Check(Run(on: "focal-1", "sleep", "1000"))]
      }
      let (_, result) = try await ProcessRunner().withProcess(user.netlabCommand(["test", file])) { process in
        for await line in process.standardOutput.lines where line.contains("is up") { break }
        while !user.processes.contains(where: { $0.command.contains("sleep 1000") }) { await Task.yield() }
        process.send(signal: signal)
        await process.exit()
      }
      #expect(result.status == (signal == SIGKILL ? .signalled(SIGKILL) : .exited(status)))
      #expect(try await user.isAlone(), "\(user.processes)")
    }

    @Test func `What this kernel lacks is tested in the sandbox`() async throws {
      let file = try await user.lab(name) { $0.datapath = .hybrid }
      let test = try await user.netlab("test", file)
      #expect(test.status == 0 && test.output.contains(" passed ("), "\(test)")
      let missing = KernelProbe.missing([.vlanFiltering])
      #expect(test.output.contains("because this machine's kernel cannot do") == !missing.isEmpty)
      #expect(try await user.isAlone())
    }

    /// Each refuses in its own namespaces, with a setting that the machine's own do not get to see.
    @Test func `Where user namespaces are forbidden, it is said how to allow them`() async throws {
      let file = try await user.lab(name)
      let limit = "/proc/sys/user/max_user_namespaces"
      let allowed = try String(contentsOfFile: limit, encoding: .utf8)
      let up = try await user.netlabWithoutNamespaces(["up", file])
      #expect(up.status == 3 && up.output.isEmpty, "\(up)")
      #expect(
        up.errors.contains("No space left on device, since user.max_user_namespaces is 0\n"), "\(up.errors)")
      #expect(up.errors.contains("sudo sysctl user.max_user_namespaces=10000"))
      #expect(up.errors.contains("`netlab test` and `netlab sandbox` need neither"))
      #expect(try await user.netlabWithoutNamespaces(["test", file, "--kernel", "host"]).errors == up.errors)
      let doctor = try await user.netlabWithoutNamespaces(["doctor", "--kernel", "host"])
      #expect(doctor.output.contains("user.max_user_namespaces is 0"), "\(doctor)")
      let test = try await user.netlabWithoutNamespaces(["test", file])
      #expect(test.status == 0 && test.output.contains(" passed, 1 skipped ("), "\(test)")
      #expect(
        test.output.hasPrefix(
          "in a User-Mode-Linux kernel, because an ordinary user cannot make a user namespace here: "))
      #expect(try await user.isAlone())
      #expect(try String(contentsOfFile: limit, encoding: .utf8) == allowed)
    }

    @Test func `Doctor tells an ordinary user what this kernel can do for them`() async throws {
      let doctor = try await user.netlab("doctor", "--kernel", "host")
      #expect(doctor.output.contains("Labs run without root here, in user namespaces."), "\(doctor)")
      let row = doctor.output.split(separator: "\n").first { $0.hasPrefix("veth pairs") }
      #expect(row?.contains("✓") == true)
      #expect(try await !netlab("doctor", "--kernel", "host").output.contains("without root"))
    }

    @Test func `Keepers listen only where nobody else can come in between`() async throws {
      let file = try await user.lab(name)
      let (files, own) = (FileManager.default, "\(user.runtime)/netlab")
      // Somebody else's folder, by way of a link of the user's; and one that is not even there.
      for target in [user.home, "/nowhere"] {
        try files.createSymbolicLink(atPath: own, withDestinationPath: target)
        let up = try await user.netlab("up", file)
        #expect(up.status == 3 && up.errors.contains("cannot keep the lab: "), "\(up)")
        try files.removeItem(atPath: own)
      }
      try files.createDirectory(atPath: own, withIntermediateDirectories: false)
      let up = try await user.netlab("up", file)
      #expect(up.status == 3 && up.errors.contains("belongs to somebody else"), "\(up)")
      try user.own(own)
      try files.setAttributes([.posixPermissions: 0o777], ofItemAtPath: own)
      #expect(try await user.netlab("up", file).status == 0)
      #expect(try files.attributesOfItem(atPath: own)[.posixPermissions] as? Int == 0o700)
      #expect(try files.attributesOfItem(atPath: "\(own)/\(name)")[.posixPermissions] as? Int == 0o600)
      // Another user who is shown the folder may not even look into it.
      let other = try OrdinaryUser()
      let seen = try await other.netlab("status", name, environment: ["XDG_RUNTIME_DIR": user.runtime])
      #expect(seen.status == 2 && seen.errors.contains("is not running"), "\(seen)")
      #expect(try await user.netlab("down", name).status == 0)
      #expect(try await user.isAlone())
    }

    @Test func `Without a runtime folder of the user's, one in the temporary folder serves`() async throws {
      let file = try await user.lab(name)
      let environment = ["XDG_RUNTIME_DIR": "/root", "TMPDIR": user.runtime]
      #expect(try await user.netlab("up", file, environment: environment).status == 0)
      let made = "\(user.runtime)/netlab-\(user.id)"
      #expect(try FileManager.default.contentsOfDirectory(atPath: made) == [name])
      #expect(try await user.netlab("down", name, environment: environment).status == 0)
      while !user.processes.isEmpty { await Task.yield() }
      #expect(try FileManager.default.contentsOfDirectory(atPath: made) == [])
    }

    private struct Row: Decodable {
      var lab: String
    }

    private func namespacesOfRoot() throws -> [String] {
      let folder = "/run/netns"
      guard FileManager.default.fileExists(atPath: folder) else { return [] }
      return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("\(name).") }
    }
  }
}
