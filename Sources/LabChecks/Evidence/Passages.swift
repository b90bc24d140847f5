import LabKit
import LabModel
import LabTrace
import Values

extension CheckContext {
  /// The packets that go from a VM to an endpoint, for an explanation of what becomes of them.
  ///
  /// - Parameter size: as `ping -s` has it, of packets that may not be fragmented.
  func passage(
    _ sender: String, _ endpoint: Endpoint, _ target: IPAddress, _ size: Int? = nil
  ) -> Passage {
    var passage = Passage(sender: sender, target: target, receiver: lab.vm(endpoint.name)?.name)
    if let size { passage.probe.size = size + 8 + (target.family == .ipv4 ? 20 : 40) }
    return passage
  }

  /// The packets that the first of some checks sends from VM to VM.
  func passage(of checks: [Check]) -> Passage? {
    for check in checks {
      for path in check.value.references.paths {
        guard let target = try? lab.address(of: path.to, from: path.from) else { continue }
        return passage(path.from, path.to, target)
      }
      if let nested = passage(of: check.value.references.nested) { return nested }
    }
    return nil
  }
}
