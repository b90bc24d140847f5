internal import CNetlink

/// A request that the kernel refused, or that could not be put to it.
public struct NetlinkError: Error, Hashable, Sendable {
  /// What was attempted, such as `create link qbrde4f2069-52 (bridge)`.
  public var operation: String
  /// The errno, such as `EEXIST`.
  public var code: CInt
  /// The kernel's own explanation (the extended acknowledgement), where it gave one.
  public var kernelMessage: String?
  /// The attribute that the kernel objected to, such as `IFLA_MTU`, where it named one.
  public var attribute: String?
  /// What this library has to add: the system call that failed, what it means, what to do.
  public var advice: String?

  public init(
    operation: String, code: CInt, kernelMessage: String? = nil, attribute: String? = nil,
    advice: String? = nil
  ) {
    self.operation = operation
    self.code = code
    self.kernelMessage = kernelMessage
    self.attribute = attribute
    self.advice = advice
  }

  /// The name of the errno, such as `EEXIST`.
  public var codeName: String {
    unsafe cnl_error_name(code).map { unsafe String(cString: $0) } ?? "errno \(code)"
  }

  /// The errno in words, such as `File exists`.
  public var codeText: String {
    unsafe cnl_error_text(code).map { unsafe String(cString: $0) } ?? "unknown error"
  }
}

extension NetlinkError: CustomStringConvertible {
  /// One line: what was attempted, the errno in words, the kernel's explanation, and advice.
  public var description: String {
    var line = "\(operation): \(codeText) (\(codeName))"
    if let kernelMessage { line += ": \(kernelMessage)" }
    if let attribute { line += " [\(attribute)]" }
    if let advice { line += "; \(advice)" }
    return line
  }
}
