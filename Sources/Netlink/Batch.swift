internal import CNetlink

/// Requests to be put to the kernel together, in the order in which they were appended.
///
/// Each appending method adds exactly one request; ``Connection/perform(_:)`` returns one outcome for each.
public struct Batch: Sendable {
  private(set) var buffer = MessageBuffer()
  private var starts: [Int] = []

  public init() {}

  /// The number of requests.
  public var count: Int { starts.count }

  public var isEmpty: Bool { starts.isEmpty }

  /// Removes all requests, keeping the memory for new ones.
  public mutating func removeAll() {
    buffer.removeAll()
    starts.removeAll(keepingCapacity: true)
  }

  /// What a request attempts, in words, such as `create link qbrde4f2069-52 (bridge)`.
  public func operation(of request: Int) -> String {
    RequestDescription(Array(buffer.bytes[range(of: request)])).operation
  }

  /// Appends a request.
  mutating func append(_ type: Int, flags: CInt = 0, _ body: (inout MessageBuffer) -> Void) {
    starts.append(buffer.bytes.count)
    buffer.message(type, flags: flags, body)
  }

  /// The bytes of a request.
  func range(of request: Int) -> Range<Int> {
    starts[request]..<(request + 1 < starts.count ? starts[request + 1] : buffer.bytes.count)
  }

  /// The end of the longest run of requests that stays within limits; at least one.
  func chunkEnd(from first: Int, bytes: Int, requests: Int) -> Int {
    var end = first + 1
    while end < min(count, first + requests), range(of: end).upperBound - starts[first] <= bytes { end += 1 }
    return end
  }
}
