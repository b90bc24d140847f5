import ArgumentParser
import LabLifecycle

struct DownCommand: RootlessLabCommand {
  static let configuration = CommandConfiguration(
    commandName: "down",
    abstract: "Take a lab down.",
    discussion: """
      Removes the lab's namespaces, and with them all that is in them. Nothing else is touched. A signal does not stop \
      it half-way.
      """)

  @OptionGroup var options: LabOptions
  @Flag(help: "Return only when the kernel has freed everything, which it does in its own time.") var wait =
    false
  @Flag(help: "Print the result as JSON.") var json = false

  func run() async throws {
    let lifecycle = Lifecycle.forCommandLine()
    let name = try await options.name(lifecycle)
    let clock = ContinuousClock()
    let start = clock.now
    let foreign = try await cancelledBySignals { try lifecycle.down(name) }
    let duration = clock.now - start
    if wait { try lifecycle.waitForCleanup() }
    let freed = wait ? clock.now - start : nil
    if json {
      return try Console.printJSON(
        DownResult(
          lab: name, keptNamespaces: foreign, milliseconds: duration.milliseconds,
          freedMilliseconds: freed?.milliseconds))
    }
    for namespace in foreign {
      Console.warn("left alone: the namespace \(namespace), which netlab did not make")
    }
    let freeing = freed.map { "; everything was freed after \(Console.text($0))" } ?? ""
    Console.print("\(name) is down (\(Console.text(duration))\(freeing))")
  }
}

private struct DownResult: Encodable {
  var lab: String
  var keptNamespaces: [String]
  var milliseconds: Double
  /// Until the kernel had freed everything, if that was waited for.
  var freedMilliseconds: Double?
}
