/// Every kind of check, one a line.
///
/// A new kind is a line here, a file of values beside this one, and a runner in LabChecks. Without the runner nothing
/// compiles.
package typealias CheckKinds = (
  Ping,
  Unreachable,
  Capture,
  Tagged,
  NotFlooded,
  Traceroute,
  TCP,
  Rate,
  Neighbour,
  SameTag,
  DifferentTag,
  Run,
  AllPairs,
  Reachable
)
