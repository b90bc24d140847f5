import Foundation
import Netlink
import Testing

/// What a kernel may lack. A test that needs it is disabled there; the log shows which were exercised somewhere.
enum Feature: String, CaseIterable {
  case namespaces = "network namespaces"
  case vlanFiltering = "bridge VLAN filtering"
  case vlanDevices = "802.1Q devices"
  case dummy = "dummy devices"
  case vxlan = "VXLAN"
  case tun = "tun/tap"

  /// Found by trying, once.
  static let available: Set<Feature> = Set(allCases.filter { (try? $0.attempt()) != nil })

  private func attempt() throws {
    let namespace = try NetworkNamespace.create()
    let connection = try Connection(in: namespace)
    var batch = Batch()
    batch.createLink(NewLink(.bridge(BridgeOptions()), name: "br0", index: 10))
    switch self {
    case .namespaces: break
    case .vlanFiltering: batch.setLink(10, LinkChange(bridge: BridgeOptions(vlanFiltering: true)))
    case .vlanDevices: batch.createLink(NewLink(.vlan(VLAN(id: 5), parent: 10), name: "br0.5"))
    case .dummy: batch.createLink(NewLink(.dummy, name: "dummy0"))
    case .vxlan: batch.createLink(NewLink(.vxlan(VXLAN(id: 5, destinationPort: 4789)), name: "vxlan0"))
    case .tun:
      guard FileManager.default.isWritableFile(atPath: "/dev/net/tun") else {
        throw CocoaError(.fileNoSuchFile)
      }
    }
    try connection.run(batch)
  }

  /// Notes in the log that a test needing this has come to its end.
  func exercised() {
    guard let path = ProcessInfo.processInfo.environment["NETLAB_FEATURE_LOG"] else { return }
    let descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    let log = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try? log.write(contentsOf: Data("feature \(rawValue): exercised\n".utf8))
  }
}

extension Trait where Self == ConditionTrait {
  static func needs(_ feature: Feature) -> Self {
    .enabled("this kernel has no \(feature.rawValue)") { Feature.available.contains(feature) }
  }
}

/// What a command printed as JSON.
struct JSON {
  var value: Any?

  subscript(key: String) -> JSON { JSON(value: (value as? [String: Any])?[key]) }
  subscript(place: Int) -> JSON { JSON(value: array.indices.contains(place) ? array[place].value : nil) }
  var array: [JSON] { (value as? [Any] ?? []).map { JSON(value: $0) } }
  var string: String? { value as? String }
  var int: Int? { value as? Int }
  var bool: Bool? { value as? Bool }
  var strings: [String] { array.compactMap(\.string) }
}

struct CommandFailure: Error, CustomStringConvertible {
  var description: String
}

/// Runs a command and returns what it wrote to its standard output.
@discardableResult
func run(_ command: [String], expecting status: Int32 = 0) throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = command
  let output = Pipe()
  let errors = Pipe()
  process.standardOutput = output
  process.standardError = errors
  try process.run()
  let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
  let complaint = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == status else {
    throw CommandFailure(description: "\(command): exit \(process.terminationStatus): \(complaint)")
  }
  return text
}

/// A namespace with a name of its own, for `ip -n`; gone with its last reference.
final class TestNamespace {
  let name = "netlink-test-\(UUID().uuidString.prefix(8))"
  let namespace: NetworkNamespace
  let connection: Connection

  var path: String { "\(NetworkNamespace.directory)/\(name)" }
  var descriptor: CInt { namespace.rawDescriptor }

  init() throws {
    try NetworkNamespace.prepareDirectory()
    namespace = try NetworkNamespace.create()
    connection = try Connection(in: namespace)
    try namespace.pin(at: path)
    Feature.namespaces.exercised()
  }

  deinit {
    do { try NetworkNamespace.unpin(path: path) } catch { Issue.record(error) }
  }

  /// Performs requests that must all succeed.
  func perform(_ build: (inout Batch) -> Void) throws {
    var batch = Batch()
    build(&batch)
    try connection.run(batch)
  }

  /// Performs one request that must fail.
  func failure(_ build: (inout Batch) -> Void) throws -> NetlinkError {
    var batch = Batch()
    build(&batch)
    let outcomes = try connection.perform(batch)
    #expect(outcomes.count == 1)
    return try #require(outcomes[0])
  }

  /// What `ip -j -d` says of this namespace.
  @discardableResult
  func ip(_ arguments: String...) throws -> JSON { try json("ip", arguments) }

  /// What `bridge -j` says of this namespace.
  @discardableResult
  func bridge(_ arguments: String...) throws -> JSON { try json("bridge", arguments) }

  private func json(_ tool: String, _ arguments: [String]) throws -> JSON {
    let text = try run([tool, "-n", name, "-d", "-j"] + arguments)
    return JSON(value: try? JSONSerialization.jsonObject(with: Data(text.utf8)))
  }
}
