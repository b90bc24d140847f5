import ArgumentParser
import LabKit
import LabLifecycle
import LabMachine
import LabModel

struct ImpairCommand: RootlessLabCommand {
  static let configuration = CommandConfiguration(
    commandName: "impair",
    abstract: "Delay, damage or slow down what leaves by a port of a running lab.",
    discussion: """
      Replaces the port's impairment until the next `netlab up`, which clears it. `netlab status` shows it, and does not \
      call it drift. Only packets that leave the VM are impaired, not those towards it.

        netlab impair two-vms focal-1 --delay 10ms --jitter 2ms --loss 1
        netlab impair two-vms focal-1:eth0 --rate 10mbit
        netlab impair two-vms focal-1 --clear
      """)

  @OptionGroup var options: LabOptions
  @Argument(
    help: ArgumentHelp("The VM, and its device where that is not the first port.", valueName: "vm[:dev]"))
  var port: String
  @Option(help: "How long each packet waits: 10ms, 500us, 1s.") var delay: TimeArgument?
  @Option(help: "By how much the delay varies; needs a delay.") var jitter: TimeArgument?
  @Option(help: "Packets that get lost, in percent.") var loss: Double?
  @Option(help: "Packets that are sent twice, in percent.") var duplicate: Double?
  @Option(help: "Packets that overtake others, in percent; needs a delay.") var reorder: Double?
  @Option(help: "Packets in which a bit is flipped, in percent.") var corrupt: Double?
  @Option(help: "The most that is sent: 10mbit, 500kbit, 1gbit.") var rate: RateArgument?
  @Option(help: "How many packets may wait.") var limit: Int?
  @Flag(help: "Back to what the lab says.") var clear = false
  @Flag(help: "Print the result as JSON.") var json = false

  func run() async throws {
    var impairment = Impairment(at: SourceLocation(file: "", line: 0, column: 0))
    (impairment.delay, impairment.jitter) = (delay?.nanoseconds, jitter?.nanoseconds)
    (impairment.loss, impairment.duplicate) = (loss, duplicate)
    (impairment.reorder, impairment.corrupt) = (reorder, corrupt)
    (impairment.rate, impairment.limit) = (rate?.rate, limit)
    let problems = impairment.problems
    let isEmpty = impairment == Impairment(at: impairment.location)
    guard clear ? isEmpty : problems.isEmpty else {
      throw RunnerError(
        .usage,
        clear ? "--clear stands alone" : problems.map(\.message).joined(separator: "\n"),
        remedy: "For example: netlab impair \(options.lab) \(port) --delay 10ms --loss 1")
    }
    let lifecycle = Lifecycle.forCommandLine()
    let lab = try await options.name(lifecycle)
    let commands = try lifecycle.impair(lab, port: port, by: clear ? nil : impairment)
    try RuntimeReport(lab: lab, port: port, commands: commands).print(asJSON: json)
  }
}

struct LinkCommand: RootlessLabCommand {
  static let configuration = CommandConfiguration(
    commandName: "link",
    abstract: "Take the link of a port down or up in a running lab.",
    discussion: """
      A link that was taken down stays so until `netlab link … up` or the next `netlab up`. `netlab status` shows it, and \
      does not call it drift. `up` also brings back the routes and IPv6 addresses that the kernel took away with it.

        netlab link two-vms focal-1 down
        netlab link two-vms focal-1:eth0 flap
      """)

  @OptionGroup var options: LabOptions
  @Argument(
    help: ArgumentHelp("The VM, and its device where that is not the first port.", valueName: "vm[:dev]"))
  var port: String
  @Argument(help: "down, up, or flap: down and up again.") var action: LinkAction
  @Flag(help: "Print the result as JSON.") var json = false

  func run() async throws {
    let lifecycle = Lifecycle.forCommandLine()
    let lab = try await options.name(lifecycle)
    let commands = try lifecycle.setLink(lab, port: port, action)
    try RuntimeReport(lab: lab, port: port, commands: commands).print(asJSON: json)
  }
}

extension LinkAction: ExpressibleByArgument {}

private struct RuntimeReport: Encodable {
  var lab: String
  var port: String
  var commands: [String]

  func print(asJSON: Bool) throws {
    if asJSON { return try Console.printJSON(self) }
    if commands.isEmpty { Console.print("\(lab): nothing to do") }
    for command in commands { Console.print(Console.runnable(command)) }
  }
}

/// A time as `tc` takes it: `10ms`.
struct TimeArgument: ExpressibleByArgument {
  var nanoseconds: Int

  init?(argument: String) {
    guard let value = quantity(argument, ["ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9]) else { return nil }
    nanoseconds = value
  }
}

/// A rate as `tc` takes it: `10mbit`.
struct RateArgument: ExpressibleByArgument {
  var rate: BitRate

  init?(argument: String) {
    guard let value = quantity(argument, ["bit": 1, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9]) else {
      return nil
    }
    rate = .bits(value)
  }
}

/// A number with one of the units, in the smallest of them.
private func quantity(_ text: String, _ units: [String: Double]) -> Int? {
  let number = text.prefix { "-.0123456789".contains($0) }
  guard let value = Double(number), let unit = units[text.dropFirst(number.count).lowercased()] else {
    return nil
  }
  let product = (value * unit).rounded()
  return product.magnitude < 1e18 ? Int(product) : nil
}
