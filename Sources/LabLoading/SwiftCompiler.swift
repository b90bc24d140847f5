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

  /// The options that make a lab: what the cache depends on, with nothing of the single compilation.
  static let options = ["-Onone", "-parse-as-library", "-swift-version", "6", "-lLabKit"]
}
