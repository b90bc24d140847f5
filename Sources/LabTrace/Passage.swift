import Values

/// The packets that a failed check was about.
package struct Passage: Hashable, Sendable, Codable {
  /// What is to be found out about them.
  package enum Question: Hashable, Codable {
    /// Why they do not arrive.
    case loss
    /// How they arrive where they must not.
    case arrival
    /// Why they were seen otherwise than they should be at a device of a node.
    case sighting(node: String, device: String)
  }

  package var question = Question.loss
  /// A VM.
  package var sender: String
  package var target: IPAddress
  /// The VM whose address it is, as others may have the same one.
  package var receiver: String?
  package var probe = Tracer.Probe()

  package init(question: Question = .loss, sender: String, target: IPAddress, receiver: String? = nil) {
    self.question = question
    self.sender = sender
    self.target = target
    self.receiver = receiver
  }
}
