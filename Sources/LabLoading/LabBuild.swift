import Glibc
import LabKit
import LabMachine
import LabModel
import LabProcesses
import SystemPackage

/// One compilation of a lab: from what, for whom, with what, and where to.
struct LabBuild {
  let labFile: String
  let user: LabUser
  let compiler: SwiftCompiler
  let library: LabKitLibrary
  let cache: LabCache
  let source: [UInt8]

  init(labFile: String, source: [UInt8], user: LabUser, compiler: SwiftCompiler, library: LabKitLibrary) {
    self.labFile = labFile
    self.user = user
    self.compiler = compiler
    self.library = library
    self.source = source
    let stamp = [
      SwiftCompiler.options.joined(separator: " "), "\(user.change)", compiler.identity, library.identity,
    ].joined(separator: "\n")
    cache = LabCache(root: user.cache, labFile: labFile, source: source, stamp: stamp)
  }

  /// Whether the lab need not be compiled.
  var isCurrent: Bool { user.accessingFiles { cache.isValid(owner: user.cacheOwner) } }

  /// Whether the lab's user gets a LabKit of its own, since it may not be able to read this program's.
  private var copiesLibrary: Bool { user.identifiers != nil }

  /// What the compiler works in: it reads what is there, and writes only to `output`.
  struct Place {
    let directory: String
    var output: String { "\(directory)/out" }
    var source: String { "\(directory)/lab.swift" }
  }

  /// Makes the place that the compiler works in, with all that it needs to read.
  func prepare() throws(FileError) -> Place {
    remove(cache.temporary)
    try user.accessingFiles { () throws(FileError) in try cache.prepare() }
    let place = Place(directory: try makeTemporaryDirectory() ?? cache.next)
    var files = ["overlay.yaml": Array(overlay(of: place.source).utf8)]
    if user.isNobody { files["lab.swift"] = source }
    if copiesLibrary {
      files["libLabKit.so"] = try Files.read(library.library)
      for (name, path) in zip(LabKitLibrary.moduleFiles, library.modules) {
        files[name] = try Files.read(path)
      }
    }
    try user.accessingFiles { () throws(FileError) in
      for (name, bytes) in files {
        try Files.write(bytes, to: "\(place.directory)/\(name)", permissions: 0o644)
      }
      try Files.makeDirectories(place.output, permissions: 0o700)
    }
    if case .nobody(let id, let group) = user.change {
      try Files.give(place.output, to: id, group: group)
    } else {
      try user.accessingFiles { () throws(FileError) in
        try Files.makeDirectories(modules, permissions: 0o755)
      }
    }
    return place
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
  func command(in place: Place, modules moduleCache: String, coloured: Bool) -> [String] {
    let modules = copiesLibrary ? place.directory : library.moduleDirectory
    let libraries = copiesLibrary ? place.directory : library.libraryDirectory
    let runPath = copiesLibrary ? "$ORIGIN" : library.libraryDirectory
    return [compiler.path] + SwiftCompiler.options + [
      "-I", modules, "-L", libraries, "-Xlinker", "-rpath", "-Xlinker", runPath,
      "-module-cache-path", moduleCache, "-vfsoverlay", "\(place.directory)/overlay.yaml",
      coloured ? "-color-diagnostics" : "-no-color-diagnostics", "-o", "\(place.output)/lab",
      labFile,
    ]
  }

  /// Closes in a run of the compiler.
  func workshop(for place: Place) -> Workshop? {
    var workshop = user.workshop(showing: [place.directory, modules] + toolFolders)
    workshop?.writable = [place.output] + (user.isNobody ? [] : [modules])
    workshop?.fileLimit = 1 << 30
    workshop?.processLimit = 1000
    workshop?.isSilent = true
    return workshop
  }

  /// Closes in a run of the lab.
  var workshopForEvaluation: Workshop? { user.workshop(showing: [cache.current] + toolFolders) }

  /// What must be there though it may be below a folder that is hidden: the compiler, and the LabKit in use.
  private var toolFolders: [String] {
    let toolchain = LabLoading.directory(of: LabLoading.directory(of: resolvingLinks(compiler.path)))
    return [LabLoading.directory(of: compiler.path), toolchain]
      + (copiesLibrary ? [] : [library.libraryDirectory])
  }

  /// Puts what the compiler made in the cache, out of the hands of the lab's user.
  func install(from place: Place) throws(FileError) {
    let owner = user.identifiers?.id ?? geteuid()
    let (compiled, binary) = try user.accessingOwnFiles { () throws(FileError) in
      (
        try OwnedFile(place.source, owner: user.cacheOwner),
        try OwnedFile("\(place.output)/lab", owner: owner)
      )
    }
    guard compiled.bytes == source else {
      throw FileError("use what was compiled, since the source was changed meanwhile", .permissionDenied)
    }
    if user.isNobody {
      try Files.write(
        try Files.read(library.library), to: "\(cache.next)/libLabKit.so", permissions: 0o755)
    } else {
      remove(place.output)
    }
    try user.accessingFiles { () throws(FileError) in try cache.install(binary.bytes) }
  }

  /// Removes what `prepare` made and `install` did not use.
  func cleanUp(_ place: Place) {
    remove(place.output)
    remove(place.directory)
    remove(cache.next)
  }

  /// Makes a directory for a user who has no other: only root can change what is in it. `nil` for those that have one.
  private func makeTemporaryDirectory() throws(FileError) -> String? {
    guard user.isNobody else { return nil }
    try Files.makeDirectories(cache.temporary, permissions: 0o711)
    let directory = try Files.makeTemporaryDirectory(in: cache.temporary)
    guard unsafe chmod(directory, 0o755) == 0 else { throw FileError("open \(directory) to the compiler") }
    return directory
  }

  /// Removes a directory that the lab's user could write to: first with that user's rights, so that nothing
  /// else can be hit, and then the empty rest.
  private func remove(_ directory: String) {
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
