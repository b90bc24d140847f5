import Foundation
import LabKernel
import LabKit
import LabMachine
import LabModel
import TestSupport
import Testing
import Values

@testable import Netlink

@Suite(.needs(.namespaces)) struct NamespaceTests {
  @Test func creatingLeavesTheCallersNamespaceAlone() throws {
    let before = try NetworkNamespace.current().identity
    let new = try NetworkNamespace.create()
    #expect(try NetworkNamespace.current().identity == before)
    #expect(new.identity != before)
    #expect(try Connection(in: new).links().map(\.name) == ["lo"])
    #expect(try NetworkNamespace.current().identity == before)
  }

  @Test func manyAtOnce() throws {
    var identities: Set<NetworkNamespace.Identity> = []
    var aliases: [String?] = []
    let wanted = (0..<20).map { $0 % 2 == 0 ? "mark \($0)" : nil }
    let supply = try NamespaceSupply(20)
    for alias in wanted {
      try supply.take(markedBy: alias) { namespace, connection throws(NetlinkError) in
        identities.insert(namespace.identity)
        // the connection is in the new namespace: there is nothing but `lo`
        let links = try connection.links()
        #expect(links.map(\.name) == ["lo"])
        aliases.append(links[0].alias)
      }
    }
    #expect(supply.count == 0)
    #expect(identities.count == 20)
    #expect(aliases == wanted)
  }

  @Test func whatIsNotTakenIsClosed() throws {
    // Counted among the descriptors are those of tests that run at the same time: they cannot be thousands.
    func descriptors() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }
    let before = try descriptors()
    for taken in 0..<10 {
      let supply = try NamespaceSupply(20)
      for _ in 0..<taken { try supply.take { _, _ throws(NetlinkError) in } }
      #expect(throws: NetlinkError.self) {
        try supply.take { _, _ throws(NetlinkError) in throw NetlinkError(operation: "stop", code: 1) }
      }
    }
    #expect(try descriptors() < before + 200)
  }

  @Test func pinnedAsIpNetnsDoesIt() throws {
    let host = try TestNamespace()
    #expect(try run(["ip", "netns", "list"]).contains(host.name))
    #expect(try NetworkNamespace.open(path: host.path).identity == host.namespace.identity)
    let taken = #expect(throws: NetlinkError.self) { try host.namespace.pin(at: host.path) }
    #expect(taken?.codeName == "EEXIST")
  }

  @Test func unpinningWhatWasMountedTwiceAndWhatNeverWas() throws {
    try NetworkNamespace.prepareDirectory()
    let path = "\(NetworkNamespace.directory)/netlink-test-\(UUID().uuidString.prefix(8))"
    let namespace = try NetworkNamespace.create()
    try namespace.pin(at: path)
    try run(["mount", "--bind", path, path])
    try NetworkNamespace.unpin(path: path)
    #expect(!FileManager.default.fileExists(atPath: path))

    #expect(FileManager.default.createFile(atPath: path, contents: nil))
    let refused = #expect(throws: NetlinkError.self) { _ = try NetworkNamespace.open(path: path).identity }
    #expect(refused?.codeName == "EINVAL")
    try NetworkNamespace.unpin(path: path)
    let gone = #expect(throws: NetlinkError.self) { try NetworkNamespace.unpin(path: path) }
    #expect(gone?.codeName == "ENOENT")
  }

  @Test func unpinningManyAtOnce() throws {
    try NetworkNamespace.prepareDirectory()
    let paths = (0..<20).map {
      "\(NetworkNamespace.directory)/netlink-test-\(UUID().uuidString.prefix(8))-\($0)"
    }
    // One is not there: the others go all the same.
    let supply = try NamespaceSupply(19)
    for path in paths.dropLast() {
      try supply.take { namespace, _ throws(NetlinkError) in try namespace.pin(at: path) }
    }
    let errors = NetworkNamespace.unpin(paths: paths)
    #expect(errors.map(\.codeName) == ["ENOENT"])
    #expect(errors.first?.operation == "unpin namespace \(paths[19])")
    #expect(paths.allSatisfy { !FileManager.default.fileExists(atPath: $0) })
  }

  @Test func aNamespaceOfAnotherKindIsRefused() {
    let refused = #expect(throws: NetlinkError.self) {
      _ = try NetworkNamespace.open(path: "/proc/self/ns/mnt").identity
    }
    #expect(refused?.codeName == "EINVAL")
  }

  @Test func numbersOfNamespaces() throws {
    let host = try TestNamespace()
    let other = try TestNamespace()
    #expect(try host.connection.namespaceID(of: other.namespace) == nil)
    try host.perform { $0.assignID(to: other.namespace) }
    let id = try #require(try host.connection.namespaceID(of: other.namespace))
    #expect(try host.ip("netns", "list-id").array.contains { $0["nsid"].int == Int(id) })
    #expect(try host.failure { $0.assignID(to: other.namespace) }.codeName == "EEXIST")
  }
}
