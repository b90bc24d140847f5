internal import Glibc

/// The Swift compiler of this machine.
struct SwiftCompiler {
  /// The path of swiftc, under that name: the driver goes by the name that it is called by.
  let path: String

  /// Finds it in PATH, whose value is `path`, and then where installers put it, since `sudo` shortens PATH.
  static func locate(path: String, home: String) throws(LoadingError) -> Self {
    let usual = ["/usr/local/bin", "/usr/bin", "/opt/swift/usr/bin", "\(home)/.local/share/swiftly/bin"]
    var searched: [String] = []
    for directory in path.split(separator: ":").map(String.init) + usual
    where directory.hasPrefix("/") && !searched.contains(directory) {
      searched.append(directory)
      if unsafe access("\(directory)/swiftc", X_OK) == 0 { return Self(path: "\(directory)/swiftc") }
    }
    throw .noCompiler(searched: searched)
  }

  /// Tells this compiler from every other, without the 80 ms of running it.
  var identity: String {
    let resolved = resolvingLinks(path)
    return fileIdentities([path, resolved, "\(directory(of: resolved))/swift-frontend"])
  }

  /// The options that make a lab: what the cache depends on, with nothing of the single compilation.
  static let options = ["-Onone", "-parse-as-library", "-swift-version", "6", "-lLabKit"]
}
