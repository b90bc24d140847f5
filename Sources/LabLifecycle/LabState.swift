import FoundationEssentials
import LabKernel
import LabKit
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// What is remembered of a lab: written before the kernel is touched, so that a crash at any point can be cleaned up.
package struct LabState: Hashable, Codable, Sendable {
  package enum Phase: String, Codable, Sendable {
    /// `up` is under way, or was when it was killed.
    case comingUp
    case up
    /// `down` is under way, or was when it was killed.
    case goingDown
  }

  package static let currentFormat = 2
  package var format = LabState.currentFormat
  /// Kept apart from the rest, because it changes more often.
  package var phase = Phase.comingUp
  /// The lab as it was last brought up, with the datapath that the command line may have chosen.
  package var document: LabDocument
  /// Other versions of the lab, of which there may be something left.
  package var earlier: [LabDocument] = []
  /// Why it did not come up, if what had been made was to be kept.
  package var failure: String?
  /// The file the lab was loaded from.
  package var labFile: String
  /// Told to nobody: the namespaces made for the lab carry it, and what carries it is the lab's.
  package var token: String
  /// The `ip netns` names of all namespaces that were made or were about to be made.
  package var namespaces: [String]

  private enum CodingKeys: CodingKey { case format, document, earlier, failure, labFile, token, namespaces }

  /// What the namespaces of this lab carry, from before they get their names.
  package var mark: Mark { Mark(lab: document.name, token: token) }

  /// Makes another version of the lab the one that is wanted.
  mutating func replaceDocument(with new: LabDocument) {
    if document != new, !earlier.contains(document) { earlier.append(document) }
    document = new
  }

  /// Adds the namespaces that a blueprint has to those that there may be.
  mutating func addNamespaces(of wanted: Blueprint) {
    let known = Set(namespaces)
    namespaces += wanted.namespaces.map(\.name).filter { !known.contains($0) }
  }
}

extension LabState {
  init(json bytes: [UInt8]) throws {
    self = try JSONDecoder().decode(LabState.self, from: Data(bytes))
    guard format == Self.currentFormat else {
      throw RunnerError(
        .environment,
        "the state of lab '\(document.name)' has format \(format), this netlab reads \(Self.currentFormat)",
        remedy: "Take the lab down with the netlab that brought it up.")
    }
    // What is named here gets removed, so it has to be what netlab writes.
    let nodes = namespaces.map {
      $0.hasPrefix("\(document.name).") ? String($0.dropFirst(document.name.utf8.count + 1)) : ""
    }
    guard NameRule.node.problem(of: document.name) == nil, Mark.isToken(token),
      nodes.allSatisfy({ NameRule.node.problem(of: $0) == nil })
    else {
      throw RunnerError(
        .environment, "the state of lab '\(document.name.terminalSafe)' is not one that netlab wrote")
    }
  }

  func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self))
  }
}
