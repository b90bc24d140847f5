internal import Glibc

extension Lab {
  /// Runs as the lab's own program: with `--emit-topology` it prints the lab as JSON, which is how netlab reads it.
  ///
  /// `--set name=value` gives a value to a `@Parameter`. Anything the lab prints goes to standard error.
  public static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.first == "--emit-topology" else {
      print("\(name) is a lab. Run it with:  netlab test FILE.swift")
      exit(2)
    }
    // The lab's own prints must not end up inside the JSON.
    let output = dup(1)
    dup2(2, 1)
    do throws(LabErrors) {
      let document = try LabDocument(of: Self(), settings: Array(arguments.dropFirst()))
      let text = document.json
      fflush(nil)
      dup2(output, 1)
      print(text)
    } catch {
      print(error)
      exit(LabDocument.refusal)
    }
  }
}

extension LabDocument {
  /// The exit status of a lab's program that has said why there is no document: EX_DATAERR of sysexits.h.
  package static var refusal: Int32 { 65 }
}
