/// What a compiler's message means of a lab, where it is not what the message says.
extension LabBuild {
  /// The compiler's words; behind them, or in place of a linker's, a sentence about the lab.
  func explained(_ diagnostics: String) -> String {
    if !String(decoding: source, as: UTF8.self).contains("@main") {
      let misses = [
        "undefined symbol: main", "undefined reference to `main'", "undefined reference to 'main'",
      ]
      if misses.contains(where: diagnostics.contains) {
        return hint(
          "no type is marked with @main", fix: "write @main above `struct …: Lab`", at: place(of: "struct "))
      }
    }
    guard diagnostics.contains("must provide a main static function") else {
      return diagnostics
    }
    return diagnostics
      + hint(
        "the type that is marked with @main is no lab", fix: "write `: Lab` behind its name",
        at: place(of: "@main"))
  }

  private func hint(_ problem: String, fix: String, at place: String) -> String {
    "\(labFile):\(place): error: \(problem)\n  fix: \(fix)\n"
  }

  /// `LINE:COLUMN` of the first occurrence of some words; of the file's beginning if there is none.
  private func place(of words: String) -> String {
    let lines = String(decoding: source, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() {
      guard let range = line.firstRange(of: words) else { continue }
      return "\(number + 1):\(line.utf8.distance(from: line.startIndex, to: range.lowerBound) + 1)"
    }
    return "1:1"
  }
}
