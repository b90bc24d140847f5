import LabKit
import LabMachine
import LabModel
import Netlink
import Values

/// Which links in a lab's namespaces are the lab's: those that it is recorded to have made, or to be about to make.
package struct Ownership {
  /// What is recorded of a link.
  private struct Record {
    var word: String
    var alias: String?
  }

  /// By namespace and name: what is recorded.
  private var recorded: [String: [String: Record]] = [:]
  /// By namespace and alias: the name that goes with it.
  private var names: [String: [String: String]] = [:]

  /// - Parameter blueprints: all that the lab may be made of; the one that is wanted now first.
  package init(of blueprints: [Blueprint]) {
    for blueprint in blueprints {
      for link in blueprint.links where recorded[link.namespace]?[link.name] == nil {
        recorded[link.namespace, default: [:]][link.name] = Record(word: link.kind.word, alias: link.alias)
        guard let alias = link.alias, names[link.namespace]?[alias] == nil else { continue }
        names[link.namespace, default: [:]][alias] = link.name
      }
    }
  }

  /// Whether a link is the lab's.
  ///
  /// One that lost its alias, or has not got it yet, is if it is what is recorded under its name.
  func covers(_ link: LabModel.Link) -> Bool {
    guard let expected = recorded[link.namespace]?[link.name] else { return false }
    return link.presentName != nil || link.alias != nil && link.alias == expected.alias
      || link.kind.word == expected.word
  }

  /// The recorded names of links that somebody renamed, by ifindex: those that carry the alias of one that is missing.
  func knownNames(of links: [Netlink.Link], in namespace: String) -> [Int32: String] {
    guard let recorded = recorded[namespace], let names = names[namespace] else { return [:] }
    let unknown = links.filter { recorded[$0.name] == nil }
    if unknown.isEmpty { return [:] }
    let present = Set(links.map(\.name))
    var found: [Int32: String] = [:]
    var taken = Set<String>()
    for link in unknown {
      guard let alias = link.alias, let name = names[alias], !present.contains(name),
        recorded[name]?.word == link.kind?.name, taken.insert(name).inserted
      else { continue }
      found[link.index] = name
    }
    return found
  }
}
