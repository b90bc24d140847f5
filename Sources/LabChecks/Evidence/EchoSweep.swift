import LabModel

/// Sends an echo request along every path between VMs, in an order in which nothing overflows.
///
/// All namespaces share one neighbour table of 1024 entries, and each pair that talks takes two. So the pairs are taken
/// in tiles of a few VMs by a few VMs, and what a tile left in the table is removed before the next.
///
/// Each unknown address costs a broadcast to everybody, the square of the pairs in all. Where there are many VMs, each
/// is therefore resolved once, by its neighbour in a ring, and what was found is told to the other pairs. A path
/// without an answer is tried again with nothing told.
struct EchoSweep {
  let rules: PairRules
  let stations: EchoStations
  /// Asked between exchanges.
  let isCancelled: @Sendable () -> Bool

  private(set) var answered = 0
  private(set) var silent = 0
  /// The slowest answer, in nanoseconds.
  private(set) var slowest: Int64 = 0
  /// The paths without the answer that must come.
  private(set) var missing: [(path: PairRules.Path, error: CInt)] = []
  /// The paths with an answer that must not come.
  private(set) var leaks: [PairRules.Path] = []
  /// The senders that got an answer from somebody, and those that had to be silent.
  private(set) var proven: Set<Int> = []
  private(set) var unproven: Set<Int> = []

  init(_ rules: PairRules, _ stations: EchoStations, isCancelled: @escaping @Sendable () -> Bool) {
    self.rules = rules
    self.stations = stations
    self.isCancelled = isCancelled
  }

  /// VMs on each side of a tile.
  private static let side = 14
  /// Paths under way at once: two neighbours each.
  private static let window = 2 * side * side
  /// Up to so many VMs everybody asks for everybody.
  private static let askingLimit = 24
  private static let millisecond: Int64 = 1_000_000
  /// More paths than these without an answer are not chance, and not tried again.
  private static let retries = 4 * window

  /// Runs the sweep; throws `CancellationError` between two tiles.
  mutating func run() throws {
    if rules.vms.count > Self.askingLimit { try resolveRing() }
    let tiles = stride(from: 0, to: rules.vms.count, by: Self.side).map {
      rules.vms[$0..<min($0 + Self.side, rules.vms.count)]
    }
    for (index, first) in tiles.enumerated() {
      for second in tiles[index...] { try sweep(first, second) }
    }
    for patience in [200, 1000] where missing.count <= Self.retries {
      let paths = missing.map(\.path)
      missing = []
      try exchange(paths, patience: Int64(patience) * Self.millisecond)
    }
  }

  /// Has each VM's address resolved by one other VM.
  private mutating func resolveRing() throws {
    var ring: [PairRules.Path] = []
    for (index, sender) in rules.vms.enumerated() {
      // With several networks in turns, the next VM is not the next on the same network.
      for step in 1..<min(Self.side, rules.vms.count) {
        let allowed = rules.paths(from: sender, to: rules.vms[(index + step) % rules.vms.count]).filter(
          \.isAllowed)
        ring += allowed
        if !allowed.isEmpty { break }
      }
    }
    for paths in ring.chunked(by: Self.window) {
      _ = try stations.exchange(paths, patience: 50 * Self.millisecond, grace: 0)
      try stations.learn(from: paths)
      try stations.forget(paths)
    }
  }

  private mutating func sweep(_ first: ArraySlice<Int>, _ second: ArraySlice<Int>) throws {
    var paths: [PairRules.Path] = []
    for one in first {
      for other in second where first != second || one < other {
        paths += rules.paths(from: one, to: other)
        paths += rules.paths(from: other, to: one)
      }
    }
    try exchange(paths, patience: 50 * Self.millisecond, introducing: true)
  }

  private mutating func exchange(
    _ paths: [PairRules.Path], patience: Int64, introducing: Bool = false
  ) throws {
    for paths in paths.chunked(by: Self.window) {
      if isCancelled() { throw CancellationError() }
      if introducing { try stations.introduce(paths) }
      let answers = try stations.exchange(
        paths, patience: max(patience, 4 * slowest),
        grace: max(20 * Self.millisecond, min(10 * slowest, 1000 * Self.millisecond)))
      try stations.forget(paths)
      for (path, answer) in zip(paths, answers) { note(path, answer) }
    }
  }

  private mutating func note(_ path: PairRules.Path, _ answer: EchoStations.Answer) {
    switch (path.isAllowed, answer.roundTrip) {
    case (true, let roundTrip?):
      answered += 1
      slowest = max(slowest, roundTrip)
      proven.insert(path.sender)
    case (true, nil): missing.append((path, answer.error))
    case (false, nil):
      silent += 1
      unproven.insert(path.sender)
    case (false, _?): leaks.append(path)
    }
  }
}

extension Array {
  fileprivate func chunked(by size: Int) -> [[Element]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }
}
