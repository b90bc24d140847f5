import Foundation
import LabRunner
import TestSupport
import Testing

@testable import Netlink

@Suite(.needs(.namespaces)) struct NamespaceTests {
  @Test func creatingLeavesTheCallersNamespaceAlone() throws {
    let before = try NetworkNamespace.current().identity
    let new = try NetworkNamespace.create(markedBy: "netlab/two-vms/focal-1")
    #expect(try NetworkNamespace.current().identity == before)
    #expect(new.identity != before)
    #expect(try Connection(in: new).link(1).alias == "netlab/two-vms/focal-1")
    #expect(try NetworkNamespace.current().identity == before)
  }

  @Test func manyAtOnce() throws {
    var identities: Set<NetworkNamespace.Identity> = []
    var aliases: [String?] = []
    let wanted = (0..<20).map { $0 % 2 == 0 ? "mark \($0)" : nil }
    try NetworkNamespace.create(markedBy: wanted) { position, namespace, connection throws(NetlinkError) in
      #expect(position == aliases.count)
      identities.insert(namespace.identity)
      // the connection is in the new namespace: there is nothing but `lo`
      let links = try connection.links()
      #expect(links.map(\.name) == ["lo"])
      aliases.append(links[0].alias)
    }
    #expect(identities.count == 20)
    #expect(aliases == wanted)
  }

  @Test func anErrorInTheMiddleClosesTheRest() throws {
    // Counted among the descriptors are those of tests that run at the same time: they cannot be thousands.
    func descriptors() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }
    let before = try descriptors()
    for _ in 0..<10 {
      #expect(throws: NetlinkError.self) {
        try NetworkNamespace.create(markedBy: [String?](repeating: nil, count: 20)) {
          position, _, _ throws(NetlinkError) in
          if position == 3 { throw NetlinkError(operation: "stop", code: 1) }
        }
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
    try NetworkNamespace.create(markedBy: Array(repeating: nil, count: 19)) {
      position, namespace, _ throws(NetlinkError) in
      try namespace.pin(at: paths[position])
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
