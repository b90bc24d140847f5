internal import FoundationEssentials

/// A lab as its author wrote it: what crosses from the lab's process to netlab, and what `netlab compile` writes.
///
/// Nothing in it has been checked: a document is resolved before anything is made of it.
package struct LabDocument: Hashable, Codable, Sendable {
  /// The version of this format; another one is refused.
  package static let currentFormat = 2
  package var format = LabDocument.currentFormat

  package var name: String
  package var datapath: Datapath
  package var parameters: [ParameterValue] = []
  package var networks: [Network] = []
  package var nodes: [Node] = []
  package var ports: [Port] = []
  package var services: [Service] = []
  package var checks: [Check] = []

  /// A parameter of the lab, with the value this document was made with.
  package struct ParameterValue: Hashable, Codable, Sendable {
    package var name: String
    package var type: String
    package var value: String
    package var help: String
  }

  package init(name: String, datapath: Datapath = .hybrid) {
    self.name = name
    self.datapath = datapath
  }

  /// Evaluates a lab, with `--set name=value` settings for its parameters.
  init(of lab: some Lab, settings: [String]) throws(LabErrors) {
    self.init(name: type(of: lab).name, datapath: lab.datapath)
    let properties = Array(Mirror(reflecting: lab).children)
    parameters = try Self.apply(settings, to: properties)
    add(lab.topology.topologyGroup.declarations, host: nil)
    addUnplaced(properties.map(\.value))
    checks = lab.checks.checkGroup.checkList
    // JSON cannot be nested without end.
    if let check = checks.first(where: { $0.depth > 16 }) {
      throw LabErrors(diagnostics: [
        Diagnostic("checks stand in each other more than 16 deep", at: check.value.location)
      ])
    }
  }

  /// Adds declarations in order. A handle used twice is one declaration; two declarations of a name are kept, for
  /// validation to refuse.
  package mutating func add(_ declarations: [Declaration], host: String?) {
    var seenNetworks = Set(networks)
    var seenNodes: [Node: Int] = [:]
    func visit(_ declarations: [Declaration], host: String?, into document: inout LabDocument) {
      for declaration in declarations {
        switch declaration {
        case .network(let network):
          if seenNetworks.insert(network).inserted { document.networks.append(network) }
        case .node(var node):
          let content = node.declaration.content
          node.declaration.content = []
          place(node, on: host, in: &document)
          visit(content, host: node.name, into: &document)
        case .port(var port):
          port.host = host
          document.ports.append(port)
        case .service(let service): document.services.append(service)
        }
      }
    }
    func place(_ node: Node, on host: String?, in document: inout LabDocument) {
      if let known = seenNodes[node] {
        // A second host is kept as a second placement, for validation to refuse.
        let placed = document.nodes[known].host
        if placed == nil { document.nodes[known].host = host }
        if placed == nil || host == nil || placed == host { return }
      } else {
        seenNodes[node] = document.nodes.count
      }
      document.nodes.append(node)
      document.nodes[document.nodes.count - 1].host = host
    }
    visit(declarations, host: host, into: &self)
  }

  /// A node that a lab declares as a property and places nowhere may be a mistake to report, so it has to be in the document.
  private mutating func addUnplaced(_ values: [Any]) {
    var declared = Set(nodes.map(\.unplaced))
    for value in values {
      let handles = (value as? any NodeDeclaration).map { [$0] } ?? value as? [any NodeDeclaration] ?? []
      nodes += handles.map { Node($0) }.filter { $0.standsOnHost && declared.insert($0).inserted }
    }
  }

  private static func apply(
    _ settings: [String], to properties: [Mirror.Child]
  ) throws(LabErrors) -> [ParameterValue] {
    var known: [(name: String, parameter: any SettableParameter)] = []
    for property in properties {
      guard let parameter = property.value as? any SettableParameter, let label = property.label else {
        continue
      }
      known.append((label.hasPrefix("_") ? String(label.dropFirst()) : label, parameter))
    }
    var problems: [Diagnostic] = []
    for setting in settings where setting != "--set" {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
        String.init)
      guard parts.count == 2 else {
        problems.append(Diagnostic("--set wants NAME=VALUE, not '\(setting)'", fix: "write --set NAME=VALUE"))
        continue
      }
      guard let match = known.first(where: { $0.name == parts[0] }) else {
        let names = known.map(\.name)
        let fix =
          names.isEmpty
          ? "drop the --set: the lab has no parameters"
          : nearest(to: parts[0], in: names).map { "did you mean '\($0)'?" }
            ?? "the lab has \(names.joined(separator: ", "))"
        problems.append(Diagnostic("the lab has no parameter '\(parts[0])'", fix: fix))
        continue
      }
      if !match.parameter.set(parts[1]) {
        problems.append(
          Diagnostic(
            "parameter '\(parts[0])' wants a value of type \(match.parameter.typeName), not '\(parts[1])'",
            fix: "write it like its default, --set \(parts[0])=\(match.parameter.valueText)"))
      }
    }
    if !problems.isEmpty { throw LabErrors(diagnostics: problems) }
    return known.map {
      ParameterValue(
        name: $0.name, type: $0.parameter.typeName, value: $0.parameter.valueText, help: $0.parameter.help)
    }
  }
}

extension LabDocument {
  /// The document as JSON text, with sorted keys, so that equal labs give equal text.
  package var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Encoding fails for non-finite numbers, of which a document has none, and for deeply nested checks, which `init` refuses.
    guard let data = try? encoder.encode(self) else { preconditionFailure("a lab document encodes") }
    return String(decoding: data, as: UTF8.self)
  }

  /// Reads a document; any input is safe.
  package init(json bytes: [UInt8]) throws(LabErrors) {
    struct Header: Decodable { var format: Int }
    let data = Data(bytes)
    do {
      // First, because in another format nothing else need be where this one has it.
      let format = try JSONDecoder().decode(Header.self, from: data).format
      guard format == Self.currentFormat else {
        throw LabErrors(diagnostics: [
          Diagnostic(
            "the compiled lab has format \(format), this netlab reads \(Self.currentFormat)",
            fix: "compile it again with this netlab")
        ])
      }
      self = try JSONDecoder().decode(LabDocument.self, from: data)
    } catch let error as LabErrors {
      throw error
    } catch {
      let summary = (error as? DecodingError)?.summary ?? "\(error)"
      throw LabErrors(diagnostics: [
        Diagnostic(
          "not a compiled lab: \(summary)", fix: "make one with:  netlab compile FILE.swift")
      ])
    }
  }
}

extension DecodingError {
  /// Where in the JSON, and what is wrong there, in one line.
  fileprivate var summary: String {
    let (context, problem): (Context, String) =
      switch self {
      case .typeMismatch(let type, let context): (context, "expected \(Self.word(for: type))")
      case .valueNotFound(let type, let context): (context, "expected \(Self.word(for: type)), found null")
      case .keyNotFound(let key, let context): (context, "missing key '\(key.stringValue)'")
      case .dataCorrupted(let context):
        (
          context,
          context.underlyingError.map { "\(context.debugDescription) \($0)" } ?? context.debugDescription
        )
      @unknown default: (Context(codingPath: [], debugDescription: ""), "\(self)")
      }
    let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
    return path.isEmpty ? problem : "\(path.drop(while: { $0 == "." })): \(problem)"
  }

  private static func word(for type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a text"
    case is any BinaryInteger.Type: "a whole number"
    case is [Any].Type: "a list"
    case is [String: Any].Type: "an object"
    default: "a \(type)"
    }
  }
}
