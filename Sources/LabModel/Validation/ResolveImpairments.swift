import LabKit

extension Resolver {
  /// An impairment if it has no mistakes; these are reported once, where it was written.
  mutating func checked(_ impairment: Impairment?) -> Impairment? {
    guard let impairment else { return nil }
    let problems = impairment.problems
    for problem in problems { report(problem.message, at: impairment.location, fix: problem.fix) }
    return problems.isEmpty ? impairment : nil
  }
}

extension Impairment {
  package struct Problem: Hashable, Sendable {
    package var message: String
    package var fix: String?
  }

  /// All that is wrong with it.
  package var problems: [Problem] {
    var problems: [Problem] = []
    func add(_ message: String, fix: String? = nil) { problems.append(Problem(message: message, fix: fix)) }
    let minute = 60_000_000_000
    for (name, time) in [("delay", delay), ("jitter", jitter)] {
      guard let time, !(0...minute).contains(time) else { continue }
      let seconds = Duration.nanoseconds(time).formattedSeconds
      add("\(name) \(seconds) is not in 0 s…60 s")
    }
    for (name, share) in [
      ("loss", loss), ("duplicate", duplicate), ("reorder", reorder), ("corrupt", corrupt),
    ] {
      guard let share, !(0...100).contains(share) else { continue }
      add("\(name) \(share.withoutFraction) is not in 0…100 percent")
    }
    for (name, needs) in [("jitter", (jitter ?? 0) > 0), ("reorder", (reorder ?? 0) > 0)]
    where needs && (delay ?? 0) == 0 {
      add(
        "\(name) without a delay does nothing",
        fix: "add one: .impaired(delay: .milliseconds(10), \(name): …)")
    }
    let (least, most) = (BitRate.kilobits(8), BitRate.gigabits(100))
    if let rate, !(least...most).contains(rate) { add("rate \(rate) is not in \(least)…\(most)") }
    if let limit, !(1...1_000_000).contains(limit) { add("limit \(limit) is not in 1…1000000 packets") }
    if delay == nil, jitter == nil, loss == nil, duplicate == nil, reorder == nil, corrupt == nil, rate == nil
    {
      add(
        limit == nil ? "the impairment says nothing" : "a limit alone does nothing",
        fix: "say what it does, such as .impaired(delay: .milliseconds(10)), or leave it out")
    }
    return problems
  }
}

extension Duration {
  fileprivate var formattedSeconds: String {
    "\((Double(components.seconds) + Double(components.attoseconds) / 1e18).withoutFraction) s"
  }
}

extension Double {
  /// `101` for 101.0.
  fileprivate var withoutFraction: String {
    self == rounded() && magnitude < 1e15 ? "\(Int(self))" : "\(self)"
  }
}
