import LabKit
import Values

/// Values of a link's options; `nil` for those that it does not have, or of which nobody has an opinion.
///
/// A large lab has thousands of them, which are compared at each look: so they stand in a row, and nothing is hashed.
package struct LinkOptions: Hashable, Sendable, ExpressibleByDictionaryLiteral {
  private var values = [Int32?](repeating: nil, count: LinkOption.allCases.count)

  package init() {}

  package init(dictionaryLiteral elements: (LinkOption, Int)...) {
    for (option, value) in elements { self[option] = value }
  }

  package subscript(option: LinkOption) -> Int? {
    get { values[option.rawValue].map(Int.init) }
    set { values[option.rawValue] = newValue.map(Int32.init(clamping:)) }
  }

  package var isEmpty: Bool { values.allSatisfy { $0 == nil } }

  /// Takes on the values that `other` has.
  package mutating func merge(_ other: LinkOptions) {
    for (position, value) in other.values.enumerated() where value != nil { values[position] = value }
  }

  /// The values that are otherwise in `observed`; an option that it does not have, as when a kernel does not know it, is as
  /// if it were wanted so.
  func differing(from observed: LinkOptions) -> LinkOptions {
    var options = Self.none
    for position in values.indices {
      guard let wanted = values[position], let value = observed.values[position], wanted != value else {
        continue
      }
      options.values[position] = wanted
    }
    return options
  }

  private static let none = LinkOptions()

  /// Those that a tool changes.
  func changed(by tool: LinkOption.Tool) -> LinkOptions {
    var options = self
    for option in LinkOption.allCases where option.tool != tool { options[option] = nil }
    return options
  }
}
