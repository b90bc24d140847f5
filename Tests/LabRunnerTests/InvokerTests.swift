import Glibc
import Testing

@testable import LabChecks
@testable import LabLoading
@testable import LabMachine
@testable import LabProcesses

/// What root does for the user who called sudo it does with that user's rights. These tests need root.
@Suite struct InvokerTests {
  private func makeFolder() async throws -> String {
    try #require(geteuid() == 0, "this test needs root")
    return try await shell(
      "cd $(mktemp -d); chmod 755 .; mkdir -m 755 own target; chown 1:1 own; ln -s ../target own/captures; pwd"
    )
  }

  @Test func capturesDoNotFollowTheUsersLinks() async throws {
    let folder = try await makeFolder()
    await #expect(processExitsWith: .success) { [folder = folder as String] in
      let link = "\(folder)/own/captures"
      // As root's own, the link is followed.
      _ = try KeptCaptures(in: link).keep([1], as: "one")
      unsafe setenv("SUDO_UID", "1", 1)
      unsafe setenv("SUDO_GID", "1", 1)
      #expect(throws: FileError.self) { try KeptCaptures(in: link).keep([2], as: "two") }
      _ = try KeptCaptures(in: "\(folder)/own/new").keep([3], as: "three")
    }
    let files = try await shell(
      "cd \(folder); find . -name '*.pcap' -printf '%p %U\n' | sort; rm -r \(folder)")
    #expect(files == "./own/new/three.pcap 1\n./target/one.pcap 0")
  }

  @Test func rootsOtherGroupsGiveNoRights() async throws {
    let folder = try await makeFolder()
    try await shell("cd \(folder); echo text >secret; chown 0:4242 secret; chmod 640 secret")
    await #expect(processExitsWith: .success) { [folder = folder as String] in
      #expect(unsafe setgroups(1, [4242]) == 0)
      let user = Invoker(id: 1, group: 1)
      #expect(user.canBeTakenOn)
      #expect(user.accessingFiles { try? Files.read("\(folder)/secret") } == nil)
      #expect(getgroups(0, nil) == 1, "root has them again")
      #expect((try? Files.read("\(folder)/secret")) != nil)
    }
    try await shell("rm -r \(folder)")
  }
}
