import ArgumentParser
import LabGraph
import LabInspect
import LabLifecycle
import LabModel
import LabTrace

struct GraphCommand: RootlessLabCommand {
  static let configuration = CommandConfiguration(
    commandName: "graph",
    abstract: "Draw a lab: VMs, their chains of devices, and the switches.",
    discussion: """
      A .swift or .json file is drawn as it should be; a running lab, given by its name, with marks where the kernel \
      has something else. --trace paints, in a file's lab, the way that is meant, and in a running lab the way that a \
      packet would take now, with a mark where it ends. svg is one file that a browser shows, light or dark.

        netlab graph Labs/TwoVMs.swift
        netlab graph two-vms --trace focal-1 focal-2
        netlab graph Labs/TwoVMs.swift --format svg > two-vms.svg
        netlab graph Labs/TwoVMs.swift --format dot | dot -Tpdf > two-vms.pdf
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, mermaid, dot, svg }

  @OptionGroup var options: LabOptions
  @Option(help: "text, mermaid, dot or svg.") var format = Format.text
  @Option(
    parsing: .upToNextOption, help: ArgumentHelp("Paint the way from one VM to another.", valueName: "vm"))
  var trace: [String] = []
  @Flag(help: "Draw every VM, however many there are.") var all = false

  /// More VMs of a host than a person would look at.
  private static let machineLimit = 12

  func validate() throws {
    guard trace.isEmpty || trace.count == 2 else {
      throw ValidationError("--trace takes two VMs: --trace FROM TO")
    }
  }

  func run() async throws {
    let lifecycle = Lifecycle.forCommandLine()
    let graph: LabGraph
    if options.isFile {
      let lab = try await options.load(lifecycle).document.resolved()
      let path = trace.isEmpty ? [] : try lab.chain(from: trace[0], to: trace[1])
      graph = LabGraph(of: lab, path: path)
    } else {
      let inspection = try lifecycle.inspect(options.lab, reading: [])
      let path =
        trace.isEmpty
        ? TracedPath()
        : try await Tracer(lifecycle: lifecycle).path(lab: options.lab, from: trace[0], to: trace[1])
      graph = LabGraph(of: inspection, path: path)
    }
    switch format {
    case .text:
      let lines = graph.text(
        width: Console.width ?? 120, machineLimit: all ? .max : Self.machineLimit,
        paint: { Console.styled($0, $1) })
      Console.print(lines.joined(separator: "\n"))
    case .mermaid: Console.print(graph.mermaid)
    case .dot: Console.print(graph.dot)
    case .svg: Console.print(graph.svg)
    }
  }
}

extension Console {
  fileprivate static func styled(_ text: String, _ style: DrawingStyle) -> String {
    switch style {
    case .plain: text
    case .strong: styled(text, Console.Style.strong)
    case .path: styled(text, .good)
    case .problem: styled(text, .bad)
    }
  }
}
