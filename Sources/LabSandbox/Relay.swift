import Glibc
import LabMachine
import SystemPackage

/// Carries bytes one way, a piece at a time, when there are some and when there is room for them.
struct Relay {
  /// What the end of the source means.
  enum Source {
    /// A pipe or a terminal: there is nothing more.
    case stream
    /// A file that grows: there is nothing more yet, until it is complete.
    case growingFile
  }

  let source: FileDescriptor
  let sink: FileDescriptor
  let kind: Source
  /// Sends each piece with its length (two bytes, low one first), and the end as an empty piece.
  var isPacketed = false
  /// For a growing file: whether nobody adds to it any more.
  private var sourceIsComplete = false
  /// For a growing file: whether it may have more than was read.
  var sourceHasChanged = true

  private var pending: ArraySlice<UInt8> = []
  private var sourceHasEnded = false

  /// A pipe with room for anything has room for this much, so writing it does not block (POSIX: PIPE_BUF).
  private static let pieceSize = 4096

  init(from source: FileDescriptor, to sink: FileDescriptor, kind: Source, isPacketed: Bool = false) {
    (self.source, self.sink, self.kind, self.isPacketed) = (source, sink, kind, isPacketed)
  }

  var isFinished: Bool { sourceHasEnded && pending.isEmpty }

  /// What this relay waits for; a negative descriptor, which poll(2) passes over, for nothing.
  var interest: pollfd {
    if !pending.isEmpty { return pollfd(fd: sink.rawValue, events: Int16(POLLOUT), revents: 0) }
    let waits = kind == .stream && !sourceHasEnded
    return pollfd(fd: waits ? source.rawValue : -1, events: Int16(POLLIN), revents: 0)
  }

  /// Whether there is something to do without waiting.
  var isReady: Bool { pending.isEmpty && kind == .growingFile && sourceHasChanged && !sourceHasEnded }

  /// Says that nobody adds to the source any more.
  mutating func complete() { (sourceIsComplete, sourceHasChanged) = (true, true) }

  /// Reads or writes one piece, after `interest` was met or when `isReady`.
  mutating func advance() throws {
    if pending.isEmpty {
      try fill()
    } else {
      pending.removeFirst(try sink.writeSome(pending.prefix(Self.pieceSize)))
    }
  }

  private mutating func fill() throws {
    let size = isPacketed ? Self.pieceSize - 2 : kind == .stream ? Self.pieceSize : 1 << 16
    guard let piece = try read(size) else { return }
    if piece.isEmpty {
      sourceHasChanged = false
      sourceHasEnded = kind == .stream || sourceIsComplete
    }
    if isPacketed {
      pending = ([UInt8(piece.count & 0xFF), UInt8(piece.count >> 8)] + piece)[...]
    } else {
      pending = piece[...]
    }
  }

  private func read(_ size: Int) throws -> [UInt8]? {
    do {
      return try source.readSome(size)
    } catch {
      // How a terminal says that its other end is gone.
      guard kind == .stream, error == .ioError else { throw error }
      return []
    }
  }
}
