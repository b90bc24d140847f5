import LabKit
import LabMachine
import LabModel
import LabProcesses

/// The Swift compiler of this machine.
struct SwiftCompiler {
  /// The path of swiftc, under that name: the driver goes by the name that it is called by.
  let path: String

  /// Finds it in the first of these directories that has it.
  static func locate(in directories: [String]) throws(LoadingError) -> Self {
    let directories = directories.filter { $0.hasPrefix("/") }
    guard let program = InstalledProgram("swiftc", in: directories.joined(separator: ":")) else {
      throw .noCompiler(searched: directories)
    }
    return Self(path: program.path)
  }

  /// Tells this compiler from every other, without the 80 ms of running it.
  var identity: String {
    let resolved = resolvingLinks(path)
    return fileIdentities([path, resolved, "\(directory(of: resolved))/swift-frontend"])
  }

  /// The same, short enough for the name of a directory.
  var fingerprint: String { String(StableHash.hash(identity), radix: 16) }

  /// Has Swift's runtime say where a lab stopped by itself: by a program that is beside the compiler.
  var backtraceVariables: [String: String] {
    let toolchain = directory(of: directory(of: resolvingLinks(path)))
    let settings = [
      "enable=yes", "color=no", "interactive=no", "threads=crashed", "registers=none", "images=none",
      "limit=32",
      "cache=no", "symbolicate=full", "timeout=5s",
      "swift-backtrace=\(toolchain)/libexec/swift/linux/swift-backtrace",
    ]
    return ["SWIFT_BACKTRACE": settings.joined(separator: ",")]
  }

  /// The options that make a lab: what the cache depends on, with nothing of the single compilation. The table of lines
  /// tells where a lab stops by itself.
  static let options = [
    "-Onone", "-gline-tables-only", "-parse-as-library", "-swift-version", "6", "-lLabKit",
  ]
}
