import Foundation
import Netlink
import TestSupport
import Testing
import Values

extension IPAddress: ExpressibleByStringLiteral {
  public init(stringLiteral text: String) { self.init(text)! }
}
extension IPPrefix: ExpressibleByStringLiteral {
  public init(stringLiteral text: String) { self.init(text)! }
}
extension MACAddress: ExpressibleByStringLiteral {
  public init(stringLiteral text: String) { self.init(text)! }
}

/// What a command printed as JSON.
struct JSON {
  var value: Any?

  subscript(key: String) -> JSON { JSON(value: (value as? [String: Any])?[key]) }
  subscript(place: Int) -> JSON { JSON(value: array.indices.contains(place) ? array[place].value : nil) }
  var array: [JSON] { (value as? [Any] ?? []).map { JSON(value: $0) } }
  var string: String? { value as? String }
  var int: Int? { value as? Int }
  var double: Double? { value as? Double }
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

  /// What `tc -j -d` says of this namespace.
  @discardableResult
  func tc(_ arguments: String...) throws -> JSON { try json("tc", arguments) }

  private func json(_ tool: String, _ arguments: [String]) throws -> JSON {
    let text = try run([tool, "-n", name, "-d", "-j"] + arguments)
    return JSON(value: try? JSONSerialization.jsonObject(with: Data(text.utf8)))
  }
}
