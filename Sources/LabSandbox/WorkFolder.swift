import FoundationEssentials
import LabMachine
import SystemPackage

/// The command that a guest runs.
struct GuestCommand: Sendable {
  var arguments: [String]
  var environment: [String: String]
  var workingFolder: String
  var writableFolders: [String]
}

/// The folder that host and guest share: the command goes in; its output, errors and exit status come out.
struct WorkFolder {
  let path: String
  /// What both sides use; the kernel's own files stay outside of it.
  var shared: String { path + "/shared" }
  var console: String { path + "/console" }

  /// - Parameter streams: The names of the files that take the command's output.
  init(for command: GuestCommand, streams: [String]) throws {
    path = try makeTemporaryFolder(in: environmentVariable("TMPDIR") ?? "/tmp")
    do {
      try FileManager.default.createDirectory(atPath: shared, withIntermediateDirectories: false)
      try write(command.arguments.nulEnded, to: "arguments")
      let added = command.environment.map { "\($0)=\($1)" }
      let inherited = inheritedEnvironment(without: command.environment.keys).flatMap {
        (variable: [UInt8]) -> [UInt8] in variable + [0]
      }
      try write(inherited + added.nulEnded, to: "environment")
      try write(Array(command.workingFolder.utf8), to: "folder")
      try write(command.writableFolders.nulEnded, to: "writable")
      try write(Array(ownUmask.utf8), to: "umask")
      for name in streams { try write([], to: name) }
    } catch {
      remove()
      throw error
    }
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    let file = try open(name, .writeOnly, create: true)
    try file.closeAfter { _ = try file.writeAll(bytes) }
  }

  func open(
    _ name: String, _ mode: FileDescriptor.AccessMode, create: Bool = false
  ) throws -> FileDescriptor {
    try FileDescriptor.open(
      FilePath("\(shared)/\(name)"), mode,
      options: create ? [.create, .exclusiveCreate, .closeOnExec] : .closeOnExec,
      permissions: .ownerReadWrite)
  }

  /// Copies the rest of a file to one that the guest can read, and seek in.
  func copy(_ source: FileDescriptor, to name: String) throws {
    let file = try open(name, .writeOnly, create: true)
    try file.closeAfter {
      while let bytes = try source.readSome(1 << 16), !bytes.isEmpty { try file.writeAll(bytes) }
    }
  }

  func has(_ name: String) -> Bool { fileExists("\(shared)/\(name)") }

  /// The command's exit status, once it has ended.
  var exitStatus: Int32? {
    (try? String(contentsOfFile: "\(shared)/status", encoding: .utf8)).flatMap { Int32($0) }
  }

  private var consoleLines: [Substring] {
    let bytes = FileManager.default.contents(atPath: console) ?? Data()
    return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
  }

  /// Whether the kernel has given up.
  var hasPanic: Bool { consoleLines.contains { $0.hasPrefix("Kernel panic") } }

  /// What the kernel said last, or from its panic on.
  var lastWords: String {
    let lines = consoleLines
    let panic = lines.firstIndex { $0.hasPrefix("Kernel panic") }
    return (panic.map { lines[$0...].prefix(20) } ?? lines.suffix(20)).joined(separator: "\n")
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}

extension [String] {
  /// The strings in a row, each ended by a NUL.
  var nulEnded: [UInt8] { flatMap { [UInt8]($0.utf8) + [0] } }
}

/// The umask of this process, in octal. Reading it from /proc changes nothing, unlike umask(2).
private var ownUmask: String {
  let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
  let line = status.split(separator: "\n").first { $0.hasPrefix("Umask:") }
  return line.map { $0.dropFirst("Umask:".count).filter(\.isNumber) } ?? "0022"
}
