import FoundationEssentials
import LabMachine

/// What was given as a lab, and is no lab's file: perhaps a path all the same.
struct LabPath {
  let text: String

  init(_ text: String) { self.text = text }

  /// What is there in a lab's place, and what was probably meant; `nil` if there is nothing.
  var mistake: RunnerError? {
    let files = FileManager.default
    if files.fileExists(atPath: "\(text).swift") {
      return RunnerError(
        .usage, "a lab's file ends in .swift or .json, and '\(text)' does not",
        remedy: "Did you mean '\(text).swift'?")
    }
    var isFolder = false
    guard files.fileExists(atPath: text, isDirectory: &isFolder) else { return nil }
    guard isFolder else {
      return RunnerError(
        .usage, "'\(text)' is a file, but not a lab's: it ends neither in .swift nor in .json",
        remedy: "`netlab new` writes a lab to start from.")
    }
    let labs = ((try? files.contentsOfDirectory(atPath: text)) ?? []).filter(isLab).sorted()
    let folder = text == "." ? "" : text.hasSuffix("/") ? text : "\(text)/"
    return RunnerError(
      .usage, "'\(text)' is a folder, not a lab",
      remedy: labs.isEmpty
        ? "No lab is in it; `netlab new` writes one to start from."
        : "Give one of its labs: \(labs.prefix(5).map { folder + $0 }.joined(separator: ", "))"
          + (labs.count > 5 ? " …" : ""))
  }

  /// Whether a file of the folder is a lab's source.
  private func isLab(_ name: String) -> Bool {
    guard name.hasSuffix(".swift") else { return false }
    let source = try? String(contentsOfFile: "\(text)/\(name)", encoding: .utf8)
    return source?.contains("import LabKit") == true
  }
}
