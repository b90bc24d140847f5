internal import FoundationEssentials
public import LabKit

/// What is remembered of a lab: written before the kernel is touched, so that a crash at any point can be cleaned up.
public struct LabState: Codable, Sendable {
  public enum Phase: String, Codable, Sendable {
    /// `up` is under way, or was when it was killed.
    case comingUp
    case up
    /// `down` is under way, or was when it was killed.
    case goingDown
  }

  public static let currentFormat = 1
  public var format = LabState.currentFormat
  public var phase: Phase
  /// The lab as it was last brought up, with the datapath that the command line may have chosen.
  public var document: LabDocument
  /// The file the lab was loaded from.
  public var labFile: String
  /// Told to nobody: the namespaces made for the lab carry it, and what carries it is the lab's.
  public var token: String
  /// The `ip netns` names of all namespaces that were made or were about to be made.
  public var namespaces: [String]

  /// What a namespace of this lab carries as the alias of its loopback interface, from before it gets its name.
  public var mark: String { "netlab/\(document.name)/\(token)" }
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
  }

  func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self))
  }
}
