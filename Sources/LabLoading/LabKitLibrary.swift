import LabKit
import LabMachine
import LabModel
import LabProcesses

/// The built LabKit that labs are compiled against.
struct LabKitLibrary {
  /// Holds libLabKit.so.
  let libraryDirectory: String
  /// Holds the modules.
  let moduleDirectory: String

  /// LabKit, and what it exports again.
  static let moduleFiles = ["LabKit.swiftmodule", "Values.swiftmodule"]

  var library: String { "\(libraryDirectory)/libLabKit.so" }
  var modules: [String] { Self.moduleFiles.map { "\(moduleDirectory)/\($0)" } }

  /// Finds it: where NETLAB_LABKIT says (`chosen`), beside a program that SwiftPM built, or in lib/netlab of an installation.
  static func locate(for executable: String, chosen: String?) throws(LoadingError) -> Self {
    let searched: [String]
    if let chosen {
      searched = [resolvingLinks(chosen)]
    } else {
      let bin = directory(of: executable)
      searched = [bin, "\(directory(of: bin))/lib/netlab"]
    }
    for directory in searched {
      for modules in ["\(directory)/Modules", directory] {
        let candidate = Self(libraryDirectory: directory, moduleDirectory: modules)
        if Files.identity(of: candidate.library)?.isRegular == true,
          candidate.modules.allSatisfy({ Files.identity(of: $0)?.isRegular == true })
        {
          return candidate
        }
      }
    }
    throw .noLabKit(searched: searched)
  }

  /// Tells this build of LabKit from every other.
  var identity: String { fileIdentities([library] + modules) }
}

/// One line for each file, which changes when the file does.
func fileIdentities(_ paths: [String]) -> String {
  paths.map { path in
    guard let file = Files.identity(of: path) else { return "\(path) missing" }
    return "\(path) \(file.inode) \(file.size) \(file.seconds).\(file.nanoseconds)"
  }.joined(separator: "\n")
}

/// The directory that a path's last component is in.
func directory(of path: String) -> String {
  let parent = path.split(separator: "/").dropLast().joined(separator: "/")
  return "/\(parent)"
}
