/// A value of a lab that the command line can set: `--set vms=100`.
///
/// ```swift
/// @Parameter("How many VMs") var vms = 50
/// ```
@propertyWrapper
public struct Parameter<Value: LosslessStringConvertible> {
  private final class Storage {
    var value: Value
    init(_ value: Value) { self.value = value }
  }

  private let storage: Storage
  /// One line that says what the parameter is for.
  public let help: String

  public init(wrappedValue: Value, _ help: String = "") {
    self.storage = Storage(wrappedValue)
    self.help = help
  }

  public var wrappedValue: Value { storage.value }
}

/// What the lab's `main` needs of a parameter without knowing its type.
protocol SettableParameter {
  var help: String { get }
  var valueText: String { get }
  var typeName: String { get }
  /// Takes the value from the command line's text; false if it is not one of the parameter's type.
  func set(_ text: String) -> Bool
}

extension Parameter: SettableParameter {
  var valueText: String { String(storage.value) }
  var typeName: String { String(describing: Value.self) }

  func set(_ text: String) -> Bool {
    guard let value = Value(text) else { return false }
    storage.value = value
    return true
  }
}
