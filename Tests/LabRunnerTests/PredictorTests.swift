import Netlink
import Testing
import Values

@testable import LabCapture
@testable import LabChecks
@testable import LabGraph
@testable import LabInspect
@testable import LabKernel
@testable import LabKit
@testable import LabLifecycle
@testable import LabLoading
@testable import LabMachine
@testable import LabModel
@testable import LabMutation
@testable import LabProcesses
@testable import LabSandbox
@testable import LabTrace

/// The prediction is a pure function: here of snapshots that no kernel ever saw.
@Suite struct PredictorTests {
  /// Two VMs, `a` and `b`, at the ports 2 and 3 of a bridge (1) that filters VLANs.
  private struct World {
    var snapshot = KernelSnapshot(lab: "l")
    let host = "l.host"

    init() {
      var node = NodeSnapshot()
      node.devices[1] = Device(index: 1, name: "br", kind: .bridge(Device.Bridge(filtersVLANs: true)))
      for (number, vm) in [(2, "a"), (3, "b")] as [(Int32, String)] {
        let inside = Place(namespace: "l.\(vm)", index: 9)
        var tap = Device(index: number, name: "tap\(vm)", kind: .veth(peer: inside))
        tap.master = 1
        tap.port = Device.Port(vlans: [5: Device.VLANFlags(isPVID: true, isUntagged: true)])
        node.devices[number] = tap
        snapshot.nodes[inside.namespace] = Self.machine(
          peer: Place(namespace: host, index: number), Int(number))
        snapshot.virtualMachines.insert(inside.namespace)
      }
      snapshot.nodes[host] = node
    }

    private static func machine(peer: Place, _ number: Int) -> NodeSnapshot {
      var node = NodeSnapshot()
      var device = Device(index: 9, name: "eth0", kind: .veth(peer: peer))
      device.mac = MACAddress(value: UInt64(number))
      node.devices[9] = device
      let prefix = IPPrefix("10.0.0.\(number)/24")!
      node.addresses = [LinkAddress(link: 9, address: prefix)]
      node.routes = [Netlink.Route(to: prefix.subnet, link: 9)]
      node.rules = [
        Rule(priority: 0, table: 255), Rule(priority: 32766, table: 254), Rule(priority: 32767, table: 253),
      ]
      return node
    }

    func predict(length: Int = 84) -> Predictor.Prediction {
      Predictor.predict(
        Predictor.Request(
          namespace: "l.a", destination: .address(IPAddress("10.0.0.3")!), length: length,
          target: Place(namespace: "l.b", index: 9)), in: snapshot)
    }

    func drop() throws -> Trace.Drop {
      let prediction = predict()
      for case .dropped(let drop)? in [prediction.outcome, prediction.answerOutcome] { return drop }
      throw RunnerError(.usage, "nothing is dropped")
    }
  }

  @Test func delivery() {
    let prediction = World().predict()
    #expect(prediction.phases.map(\.kind) == [.resolution, .resolutionAnswer, .packet, .answer])
    #expect(prediction.phases.map(\.isReturn) == [false, false, false, true])
    let trace = Trace(lab: "l", phases: [prediction.phases[2]], outcome: prediction.outcome)
    let expected = """
      # icmp echo request, 10.0.0.2 > 10.0.0.3, 84 bytes

      ingress(vm="a", dev="eth0")
      ---------------------------
       0. route: 10.0.0.3 is in 10.0.0.0/24 dev eth0
          ip.src = 10.0.0.2;
          next;
       1. neighbour: 10.0.0.3 is 00:00:00:00:00:03 (asked for, see arp)
          eth.dst = 00:00:00:00:00:03;
          next;
       2. output: eth0 is up, mtu 1500
          /* veth to tapa in host */

      bridge(host="host", dev="br", inport="tapa")
      --------------------------------------------
       3. input: tapa is up
       4. vlan: untagged, tapa has PVID 5
          vlan = 5;
          next;
       5. learn: 00:00:00:00:00:02 is known on tapa
          next;
       6. fdb: 00:00:00:00:00:03 vlan 5 is on tapb (dynamic)
          outport = "tapb";
          output;
       7. output: tapb is up, mtu 1500
          /* veth to eth0 in b */

      egress(vm="b", dev="eth0")
      --------------------------
       8. input: eth0 is up
       9. deliver: 10.0.0.3 is local
          /* delivered to b eth0 */

      predicted: delivered to b eth0
      """
    #expect(trace.text() == expected)
    #expect(
      trace.text(.minimal) == """
        # icmp echo request, 10.0.0.2 > 10.0.0.3, 84 bytes
        output("eth0");
        output("tapb");

        predicted: delivered to b eth0
        """)
  }

  @Test func predictionIsRepeatable() {
    let world = World()
    let first = Trace(lab: "l", phases: world.predict().phases, outcome: world.predict().outcome)
    let second = Trace(lab: "l", phases: world.predict().phases, outcome: world.predict().outcome)
    #expect(first.text() == second.text())
  }

  @Test func vlanOfTheReceiver() throws {
    var world = World()
    world.snapshot.nodes[world.host]?.devices[3]?.port?.vlans = [
      6: Device.VLANFlags(isPVID: true, isUntagged: true)
    ]
    let drop = try world.drop()
    #expect(drop.reason == .vlanNotAllowed && drop.device == "tapb")
    #expect(drop.explanation == "port tapb has VLANs 6 PVID Egress Untagged, the frame carries VLAN 5")
    #expect(drop.remedy == "bridge -n l.host vlan add dev tapb vid 5")
  }

  /// The kernel leaves room for one tag: a packet four bytes too large still passes.
  @Test(arguments: [(1404, true), (1405, false)]) func mtuOnTheWay(length: Int, passes: Bool) {
    var world = World()
    world.snapshot.nodes[world.host]?.devices[3]?.mtu = 1400
    if case .delivered = world.predict(length: length).outcome {
      #expect(passes)
    } else {
      #expect(!passes)
    }
  }

  @Test func loopEnds() throws {
    var world = World()
    // Two more ports, cabled to each other: what is flooded comes back for ever.
    for (index, peer) in [(4, 5), (5, 4)] as [(Int32, Int32)] {
      var device = Device(
        index: index, name: "loop\(index)", kind: .veth(peer: Place(namespace: world.host, index: peer)))
      device.master = 1
      device.port = Device.Port(vlans: [5: Device.VLANFlags(isPVID: true, isUntagged: true)])
      world.snapshot.nodes[world.host]?.devices[index] = device
    }
    let prediction = world.predict()
    #expect(prediction.phases.flatMap(\.sections).flatMap(\.stages).contains { $0.drop?.reason == .loop })
  }

  @Test func longestPrefixThenMetric() throws {
    var node = NodeSnapshot()
    node.rules = [Rule(priority: 100, table: 7), Rule(priority: 200, table: 254)]
    node.rules[0].source = IPPrefix("10.1.0.0/16")
    func entry(_ table: UInt32, _ prefix: String, _ link: Int32, metric: UInt32 = 0) -> Netlink.Route {
      Netlink.Route(to: IPPrefix(prefix)!, link: link, table: table, priority: metric)
    }
    node.routes = [
      entry(254, "0.0.0.0/0", 1), entry(254, "10.0.0.0/8", 2, metric: 10),
      entry(254, "10.0.0.0/8", 3, metric: 5),
      entry(7, "0.0.0.0/0", 4),
    ]
    func device(_ destination: String, from source: String? = nil) -> Int32? {
      guard
        case .route(let entry) = node.route(
          to: IPAddress(destination)!, from: source.flatMap { IPAddress($0) })
      else { return nil }
      return entry.link
    }
    #expect(device("10.9.9.9") == 3)
    #expect(device("11.0.0.1") == 1)
    #expect(device("10.9.9.9", from: "10.1.2.3") == 4)
    #expect(device("fd00::1") == nil)
  }

  @Test func rulesetOfNftables() {
    let hooks = HookReader.netfilterHooks(
      """
      table inet filter {
      	chain input {
      		type filter hook input priority filter; policy drop;
      		ct state established accept
      		jump guests
      	}
      	chain guests {
      		ip saddr 10.0.0.1 reject
      	}
      }
      table bridge quiet {
      	chain forward {
      		type filter hook forward priority -200; policy accept;
      		counter packets 0 bytes 0
      	}
      }
      """)
    #expect(
      hooks.map(\.name) == [
        "nftables table inet filter, chain input", "nftables table bridge quiet, chain forward",
      ])
    #expect(hooks[0].suspects == ["ip saddr 10.0.0.1 reject", "policy drop"])
    #expect(hooks[1].suspects.isEmpty)
  }

  /// Frames that end anywhere are no frames of a probe, and nothing worse.
  @Test func truncatedFrames() {
    let mark = ProbeMark(
      source: IPAddress("10.0.0.2"), destination: IPAddress("10.0.0.3"), identifier: 0x1234,
      frameSource: MACAddress(value: 2))
    let echo: [UInt8] =
      [
        0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 84, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 2, 10, 0,
        0, 3,
      ]
      + [8, 0, 0, 0, 0x12, 0x34, 0, 1]
    var tag: Int?
    #expect(mark.phase(of: echo[...], tag: &tag) == "packet")
    #expect(tag == nil)
    for length in 0..<38 { #expect(mark.phase(of: echo.prefix(length), tag: &tag) == nil) }
    let tagged = Array(echo[..<12]) + [0x81, 0, 0, 7] + Array(echo[12...])
    #expect(mark.phase(of: tagged[...], tag: &tag) == "packet")
    #expect(tag == 7)
  }
}
