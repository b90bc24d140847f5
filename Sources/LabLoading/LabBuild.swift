import LabKit
import LabMachine
import LabModel
import LabProcesses

/// One compilation of a lab: from what, for whom, with what, and where to.
struct LabBuild {
  let labFile: String
  let user: LabUser
  let compiler: SwiftCompiler
  let library: LabKitLibrary
  let cache: LabCache

  init(labFile: String, source: [UInt8], user: LabUser, compiler: SwiftCompiler, library: LabKitLibrary) {
    self.labFile = labFile
    self.user = user
    self.compiler = compiler
    self.library = library
    let stamp = [
      SwiftCompiler.options.joined(separator: " "), "\(user.change)", compiler.identity, library.identity,
    ].joined(separator: "\n")
    cache = LabCache(root: user.cache, labFile: labFile, source: source, stamp: stamp)
  }

  /// Whether the lab's user gets a LabKit of its own, since it may not be able to read this program's.
  private var copiesLibrary: Bool { user.identifiers != nil }

  /// Makes the directory that the compiler works in, with all that it needs to read.
  func prepare() throws(FileError) -> String {
    remove(cache.temporary)
    try user.accessingFiles { () throws(FileError) in try cache.prepare() }
    let workshop = try makeTemporaryDirectory() ?? cache.next
    var files = ["overlay.yaml": Array(overlay(of: "\(workshop)/lab.swift").utf8)]
    if user.isNobody { files["lab.swift"] = try Files.read("\(cache.next)/lab.swift") }
    if copiesLibrary {
      files["libLabKit.so"] = try Files.read(library.library)
      for (name, path) in zip(LabKitLibrary.moduleFiles, library.modules) {
        files[name] = try Files.read(path)
      }
    }
    try user.accessingOwnFiles { () throws(FileError) in
      for (name, bytes) in files {
        try Files.write(bytes, to: "\(workshop)/\(name)", permissions: 0o644)
      }
    }
    return workshop
  }

  /// Where the compiler keeps what it makes of the system's headers, which takes several times as long as a lab.
  ///
  /// Nobody has a directory that root has filled and that nobody can write to: otherwise one lab could change what others
  /// are compiled with.
  var modules: String {
    user.isNobody ? "\(user.cache)/modules/\(compiler.fingerprint)" : "\(user.cache)/modules"
  }

  /// The call of the compiler. It sees the copy of the source at the path of the lab: that path is then in
  /// its messages and in `#filePath`, though the compiler may not be able to read the file there.
  func command(in workshop: String, modules moduleCache: String, coloured: Bool) -> [String] {
    let modules = copiesLibrary ? workshop : library.moduleDirectory
    let libraries = copiesLibrary ? workshop : library.libraryDirectory
    let runPath = copiesLibrary ? "$ORIGIN" : library.libraryDirectory
    return [compiler.path] + SwiftCompiler.options + [
      "-I", modules, "-L", libraries, "-Xlinker", "-rpath", "-Xlinker", runPath,
      "-module-cache-path", moduleCache, "-vfsoverlay", "\(workshop)/overlay.yaml",
      coloured ? "-color-diagnostics" : "-no-color-diagnostics", "-o", "\(workshop)/lab", labFile,
    ]
  }

  /// Puts what the compiler made in the cache.
  func install(from workshop: String) throws(FileError) {
    if user.isNobody {
      // Out of nobody's hands, so that no lab can change what another one runs.
      for name in ["lab", "libLabKit.so"] {
        let bytes = try user.accessingOwnFiles { () throws(FileError) in
          try Files.read("\(workshop)/\(name)", followingLinks: false)
        }
        try Files.write(bytes, to: "\(cache.next)/\(name)", permissions: 0o755)
      }
    }
    try user.accessingFiles { () throws(FileError) in try cache.install() }
  }

  /// Removes what `prepare` made and `install` did not use.
  func cleanUp(_ workshop: String) {
    remove(workshop)
    remove(cache.next)
  }

  /// Makes a private directory for a user that has no other; `nil` for those that have.
  func makeTemporaryDirectory() throws(FileError) -> String? {
    guard case .nobody(let id, let group) = user.change else { return nil }
    try Files.makeDirectories(cache.temporary, permissions: 0o755)
    let directory = try Files.makeTemporaryDirectory(in: cache.temporary)
    try Files.give(directory, to: id, group: group)
    return directory
  }

  /// Removes a directory that the lab's user could write to: first with that user's rights, so that nothing
  /// else can be hit, and then the empty rest.
  func remove(_ directory: String) {
    user.accessingOwnFiles { try? Files.remove(directory) }
    user.accessingFiles { try? Files.remove(directory) }
  }

  /// Makes sure that the lab's user can get at the compiler and the cache.
  func checkAccess() throws(LoadingError) {
    for (path, remedy) in [
      (
        compiler.path,
        "Install Swift where all users may read it, or have the lab run as root if you trust it."
      ),
      (
        cache.directory,
        "Let all users enter the directories above it, or set XDG_CACHE_HOME to another place."
      ),
    ] where user.accessingOwnFiles({ Files.identity(of: path) }) == nil {
      throw .environment(
        attempt: "compile the lab as user \(user.identifiers?.id ?? 0), since labs do not run as root",
        reason: "that user may not use \(path)", remedy: remedy)
    }
  }

  private func overlay(of copy: String) -> String {
    """
    {"version": 0, "use-external-names": false, "roots": [
      {"type": "file", "name": \(quoted(labFile)), "external-contents": \(quoted(copy))}]}
    """
  }
}

/// The text as a JSON string.
private func quoted(_ text: String) -> String {
  let escaped = text.unicodeScalars.map { scalar in
    switch scalar {
    case "\"", "\\": "\\\(scalar)"
    case _ where scalar.value < 0x20:
      "\\u" + String(scalar.value + 0x10000, radix: 16).dropFirst()
    default: "\(scalar)"
    }
  }
  return "\"\(escaped.joined())\""
}
