import Testing
import Values

@testable import LabKit
@testable import LabModel

/// A lab with mistakes in it, and what validation says about them.
///
/// Places are `LINE:COLUMN`, with lines counted from the one on which the mistake's own source begins, so that the table
/// can be edited.
struct Mistake: Sendable, CustomTestStringConvertible {
  let name: String
  let datapath: Datapath
  let document: @Sendable () -> LabDocument
  let line: Int
  var expected = ""

  init(
    _ name: String, datapath: Datapath = .hybrid, lab: String = "lab", line: Int = #line,
    @TopologyBuilder _ topology: @escaping @Sendable () -> TopologyGroup,
    @ChecksBuilder checks: @escaping @Sendable () -> CheckGroup = { CheckGroup(checkList: []) }
  ) {
    self.name = name
    self.datapath = datapath
    self.line = line
    self.document = {
      var document = LabDocument(name: lab)
      document.add(topology().declarations, host: nil)
      document.checks = checks().checkGroup.checkList
      return document
    }
  }

  private init(_ name: String, line: Int, document: @escaping @Sendable () -> LabDocument) {
    self.name = name
    self.datapath = .hybrid
    self.line = line
    self.document = document
  }

  /// For what only a document from elsewhere can say.
  static func document(
    _ name: String, line: Int = #line, _ document: @escaping @Sendable () -> LabDocument
  ) -> Mistake {
    Mistake(name, line: line, document: document)
  }

  func gives(_ expected: String) -> Mistake {
    var mistake = self
    mistake.expected = expected
    return mistake
  }

  var testDescription: String { name }

  func check(file: String, _ sourceLocation: Testing.SourceLocation = #_sourceLocation) {
    #expect(found(in: file) == expected, "\(name)", sourceLocation: sourceLocation)
  }

  private func found(in file: String) -> String {
    do throws(LabErrors) {
      var document = document()
      document.datapath = datapath
      _ = try document.resolved()
      return "no mistake"
    } catch {
      return error.description
        .replacing("\(file):", with: "")
        .replacing(/(?m)^(\d+):|on line (\d+)/) { match in
          guard let text = match.1 ?? match.2, let number = Int(text) else { return "\(match.0)" }
          return match.1 == nil ? "on line \(number - line)" : "\(number - line):"
        }
    }
  }
}
