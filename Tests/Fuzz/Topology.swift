import LabKit

// Compiled together with LabModel's sources, see Tests/Fuzz/run.

/// Reads any bytes as a compiled lab, and makes of it all that would be made before the kernel is touched.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTopology(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
  do {
    let lab = try LabDocument(json: bytes).resolved()
    let blueprint = lab.blueprint()
    precondition(Plan(from: blueprint, to: blueprint).isEmpty)
    _ = Plan(from: Blueprint(), to: blueprint).commands
    for namespace in blueprint.namespaces { precondition(!namespace.name.contains("/")) }
  } catch {
    precondition(!"\(error)".utf8.contains(0x1b), "an escape reaches the terminal")
  }
  return 0
}
