import Testing
import Values

@testable import LabKit
@testable import LabModel

/// The DSL: what a lab's source says is what its document has.
@Suite struct LabTests {
  private func document(_ lab: some Lab, _ settings: String...) throws -> LabDocument {
    try LabDocument(of: lab, settings: settings.flatMap { ["--set", $0] })
  }

  @Test(arguments: [
    ("TwoVMs", "two-vms"), ("HTTPServer", "http-server"), ("Crowd", "crowd"), ("TrunkVM", "trunk-vm"),
    ("MyVMLab", "my-vm-lab"), ("Lab2", "lab2"), ("Lab2VMs", "lab2-vms"), ("VMs", "vms"),
    ("two_VMs", "two-vms"),
    ("A", "a"), ("aB", "a-b"), ("VMsInRack", "vms-in-rack"), ("lowercase", "lowercase"), ("", ""),
  ])
  func namesInKebabCase(type: String, name: String) { #expect(kebabCase(type) == name) }

  struct Built: Lab {
    @Parameter("How many") var count = 3
    @Parameter var label = "x"
    @Parameter var isWide = false
    @Parameter var share = 0.5
    let net = Network("net", subnet: "10.0.0.0/24")
    let extra = VM("extra")
    let compute = Host("compute-1")

    func pair(_ name: String) -> some Topology {
      Host("compute-2") { VM(name).port(on: net) }
    }

    var topology: some Topology {
      net
      compute {
        for index in 1...max(count, 1) { VM("vm-\(index)").port(on: "net") }
        if isWide { VM("wide").port(on: net) } else { VM("narrow").port(on: net) }
        if count > 100 { VM("many").port(on: net) }
        [VM("listed-1"), VM("listed-2")]
        extra
      }
      pair("in-function-\(label)")
    }

    var checks: some Checks {
      for index in 1...2 { Ping(from: "vm-\(index)", to: "vm-\(index + 1)") }
      if isWide { SameTag("vm-1", "wide") }
      [Neighbour(of: "vm-1", for: "vm-2"), Neighbour(of: "vm-2", for: "vm-1")]
    }
  }

  @Test func buildsWithControlFlow() throws {
    let document = try document(Built())
    #expect(document.name == "built")
    #expect(document.datapath == .hybrid)
    #expect(document.networks.map(\.name) == ["net"])
    #expect(document.hosts.map(\.name) == ["compute-1", "compute-2"])
    #expect(
      document.vms.map(\.name)
        == ["vm-1", "vm-2", "vm-3", "narrow", "listed-1", "listed-2", "extra", "in-function-x"])
    #expect(document.vms.map(\.host) == Array(repeating: "compute-1", count: 7) + ["compute-2"])
    #expect(document.ports.map(\.node) == ["vm-1", "vm-2", "vm-3", "narrow", "in-function-x"])
    #expect(document.ports.allSatisfy { $0.network == "net" })
    #expect(document.checks.map { type(of: $0.value).kind } == ["ping", "ping", "neighbour", "neighbour"])
    #expect(document.hosts.allSatisfy { $0.content.isEmpty })
    _ = try document.resolved()
  }

  @Test func takesParameters() throws {
    let document = try document(Built(), "count=1", "label=a=b", "isWide=true", "share=1e3", "count=2")
    #expect(document.vms.map(\.name).prefix(3) == ["vm-1", "vm-2", "wide"])
    #expect(document.vms.last?.name == "in-function-a=b")
    #expect(document.parameters.map(\.name) == ["count", "label", "isWide", "share"])
    #expect(document.parameters.map(\.type) == ["Int", "String", "Bool", "Double"])
    #expect(document.parameters.map(\.value) == ["2", "a=b", "true", "1000.0"])
    #expect(document.parameters.map(\.help) == ["How many", "", "", ""])
  }

  @Test func refusesBadSettingsAllAtOnce() throws {
    let error = try #require(throws: LabErrors.self) {
      try document(Built(), "count=few", "isWide=yes", "share=", "cuont=3", "colour=red", "count", "label=")
    }
    #expect(
      error.description == """
        error: parameter 'count' wants a value of type Int, not 'few'
          fix: write it like its default, --set count=3
        error: parameter 'isWide' wants a value of type Bool, not 'yes'
          fix: write it like its default, --set isWide=false
        error: parameter 'share' wants a value of type Double, not ''
          fix: write it like its default, --set share=0.5
        error: the lab has no parameter 'cuont'
          fix: did you mean 'count'?
        error: the lab has no parameter 'colour'
          fix: the lab has count, label, isWide, share
        error: --set wants NAME=VALUE, not 'count'
          fix: write --set NAME=VALUE
        """)
    struct Plain: Lab { var topology: some Topology { VM("a") } }
    let plain = try #require(throws: LabErrors.self) { try document(Plain(), "vms=1") }
    #expect(
      plain.description == """
        error: the lab has no parameter 'vms'
          fix: drop the --set: the lab has no parameters
        """)
  }

  struct Handles: Lab {
    static var name: String { "by-hand" }
    var datapath: Datapath { .linuxbridge }
    let net = Network("net", subnet: "10.0.0.0/24")
    let other = Network("other", subnet: "10.1.0.0/24")
    let vm = VM("vm")
    let twin = VM("twin")
    let crowd = [VM("unplaced-1"), VM("unplaced-2")]
    let compute = Host("compute")

    var topology: some Topology {
      compute {
        vm
        vm.port(on: net) { Subport(on: other, vlan: 7) }
        twin.port(on: net)
      }
      compute { vm.port(on: other) }
      twin.port(on: "other")
    }
  }

  @Test func countsAHandleOnce() throws {
    let document = try document(Handles())
    #expect(document.name == "by-hand")
    #expect(document.datapath == .linuxbridge)
    #expect(document.networks.map(\.name) == ["net", "other"])
    #expect(document.hosts.map(\.name) == ["compute"])
    #expect(document.vms.map(\.name) == ["vm", "twin", "unplaced-1", "unplaced-2"])
    #expect(document.vms.map(\.host) == ["compute", "compute", nil, nil])
    #expect(document.ports.map(\.node) == ["vm", "twin", "vm", "twin"])
    #expect(document.ports.map(\.host) == ["compute", "compute", "compute", nil])
    #expect(document.ports[0].subports.map(\.network) == ["other"])
    #expect(document.checks.isEmpty)
  }

  @Test func keepsTwoPlacementsOfOneVM() throws {
    struct Twice: Lab {
      let vm = VM("vm")
      var topology: some Topology {
        Host("a") { vm }
        Host("b") { vm }
      }
    }
    #expect(try document(Twice()).vms.map(\.host) == ["a", "b"])
  }

  /// The compiler's `#column` for a default argument is the call's opening parenthesis.
  @Test func remembersPlaces() throws {
    let here = #line
    let net = Network("net", subnet: "10.0.0.0/24")
    let vm = VM("vm")
    let host = Host("host") {
      vm.port(
        on: net,
        routes: [.onLink("10.2.0.0/24"), .to("10.3.0.0/24", via: "10.0.0.1"), .default(via: "10.0.0.1")]
      ) {
        Subport(on: "net", vlan: 7)
      }
    }
    let ping = Ping(from: vm, to: vm)
    var document = LabDocument(name: "x")
    document.add(host.topologyGroup.declarations, host: nil)
    func place(_ location: LabKit.SourceLocation) -> String {
      #expect(location.file == #filePath)
      return "\(location.line - here):\(location.column)"
    }
    #expect(place(net.location) == "1:22")
    #expect(place(vm.location) == "2:16")
    #expect(place(host.location) == "3:20")
    #expect(place(document.ports[0].location) == "4:14")
    #expect(document.ports[0].routes.map { place($0.location) } == ["6:25", "6:45", "6:87"])
    #expect(place(document.ports[0].subports[0].location) == "8:16")
    #expect(place(ping.location) == "11:20")
  }
}
