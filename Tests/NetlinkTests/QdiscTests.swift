import LabKernel
import LabKit
import LabMachine
import LabModel
import TestSupport
import Testing
import Values

@testable import Netlink

private typealias Qdisc = Netlink.Qdisc

@Suite(.needs(.namespaces, .veth)) struct QdiscTests {
  /// A namespace with a link (index 20, `a`).
  private func host() throws -> TestNamespace {
    let host = try TestNamespace()
    try host.perform {
      $0.createLink(NewLink(.veth(peer: .init(name: "b", index: 21)), name: "a", index: 20))
      $0.setLink(20, LinkChange(isUp: true))
    }
    return host
  }

  private func read(_ host: TestNamespace) throws -> [Qdisc] {
    try host.connection.qdiscs().filter { $0.link == 20 }
  }

  @Test(.needs(.tbf)) func tokenBucket() throws {
    let host = try host()
    let bucket = TokenBucket(rate: 10_000_000, burst: 5000, latency: 50_000_000)
    #expect(bucket.limit == 67_500)
    try host.perform { $0.addQdisc(Qdisc(link: 20, kind: .tbf(bucket), handle: 0x10_0000)) }
    let shown = try host.tc("qdisc", "show", "dev", "a")[0]
    #expect(shown["kind"].string == "tbf" && shown["root"].bool == true && shown["handle"].string == "10:")
    #expect(shown["options"]["rate"].int == 1_250_000 && shown["options"]["burst"].string == "5000b/1")
    #expect(shown["options"]["lat"].int == 50_000)
    #expect(try read(host) == [Qdisc(link: 20, kind: .tbf(bucket), handle: 0x10_0000)])

    #expect(try host.failure { $0.addQdisc(Qdisc(link: 20, kind: .tbf(bucket))) }.codeName == "EEXIST")
    var faster = bucket
    faster.rate = 40_000_000_000
    try host.perform { $0.changeQdisc(Qdisc(link: 20, kind: .tbf(faster))) }
    #expect(try host.tc("qdisc", "show", "dev", "a")[0]["options"]["rate"].int == 5_000_000_000)
    guard case .tbf(let kept)? = try read(host).first?.kind else {
      throw CommandFailure(description: "no tbf")
    }
    #expect(faster.isKept(as: kept) && !bucket.isKept(as: kept), "\(kept)")

    try host.perform { $0.deleteQdisc(ofLink: 20) }
    #expect(try read(host).map(\.kind) == [.other("noqueue")])
    #expect(try host.failure { $0.deleteQdisc(ofLink: 20) }.codeName == "ENOENT")
  }

  @Test(.needs(.tbf)) func aTokenBucketOfOthers() throws {
    let host = try host()
    try run([
      "tc", "-n", host.name, "qdisc", "add", "dev", "a", "root", "tbf", "rate", "1mbit", "burst", "2k",
      "limit",
      "9k",
    ])
    let bucket = TokenBucket(rate: 1_000_000, burst: 2048, limit: 9216)
    guard case .tbf(let kept)? = try read(host).first?.kind else {
      throw CommandFailure(description: "no tbf")
    }
    #expect(bucket.isKept(as: kept), "\(kept)")
    try run([
      "tc", "-n", host.name, "qdisc", "change", "dev", "a", "root", "tbf", "rate", "1mbit", "burst", "2k",
      "limit", "9k", "peakrate", "2mbit", "mtu", "2000",
    ])
    guard case .tbf(let peaked)? = try read(host).first?.kind else {
      throw CommandFailure(description: "no tbf")
    }
    #expect(!bucket.isKept(as: peaked))
  }

  @Test(.needs(.netem)) func netem() throws {
    let host = try host()
    let all = Netem(
      delay: 10_000_001, jitter: 1_000_000, loss: .init(percent: 1.5), duplicate: .init(percent: 2),
      reorder: .init(percent: 25), corrupt: .init(percent: 0.1), rate: 10_000_000, limit: 5000)
    try host.perform { $0.replaceQdisc(Qdisc(link: 20, kind: .netem(all))) }
    let options = try host.tc("qdisc", "show", "dev", "a")[0]["options"]
    func number(_ group: String) -> Double { options[group][group].double ?? -1 }
    #expect(options["limit"].int == 5000 && options["gap"].int == 1)
    #expect(abs(number("delay") - 0.010000001) < 1e-9)
    #expect(options["delay"]["jitter"].double == 0.001)
    #expect(abs((options["loss-random"]["loss"].double ?? -1) - 0.015) < 1e-9)
    #expect(abs(number("duplicate") - 0.02) < 1e-9 && abs(number("reorder") - 0.25) < 1e-9)
    #expect(abs(number("corrupt") - 0.001) < 1e-9 && number("rate") == 1_250_000)
    #expect(try read(host).map(\.kind) == [.netem(all)])

    // What is not wanted any more goes.
    let some = Netem(delay: 2_000_000, rate: 40_000_000_000)
    try host.perform { $0.changeQdisc(Qdisc(link: 20, kind: .netem(some))) }
    #expect(try read(host).map(\.kind) == [.netem(some)])
    #expect(try host.failure { $0.addQdisc(Qdisc(link: 20, kind: .netem(all))) }.codeName == "EEXIST")
    try host.perform { $0.deleteQdisc(ofLink: 20) }
    #expect(try read(host).map(\.kind) == [.other("noqueue")])
  }

  @Test(.needs(.netem)) func netemOfOthers() throws {
    let host = try host()
    try run(
      ["tc", "-n", host.name, "qdisc", "add", "dev", "a", "root", "netem"]
        + "delay 100ms 10ms loss 0.3% duplicate 1% reorder 25% corrupt 0.5% rate 1mbit limit 77"
        .split(separator: " ").map(String.init))
    let expected = Netem(
      delay: 100_000_000, jitter: 10_000_000, loss: .init(percent: 0.3), duplicate: .init(percent: 1),
      reorder: .init(percent: 25), corrupt: .init(percent: 0.5), rate: 1_000_000, limit: 77)
    #expect(try read(host).map(\.kind) == [.netem(expected)])
    try run([
      "tc", "-n", host.name, "qdisc", "change", "dev", "a", "root", "netem", "delay", "1ms", "16us", "30%",
    ])
    guard case .netem(let correlated)? = try read(host).first?.kind else {
      throw CommandFailure(description: "no netem")
    }
    #expect(correlated.hasMore && correlated.delay == 1_000_000 && correlated.jitter == 16_000)
  }

  @Test(.needs(.netem)) func belowAnother() throws {
    let host = try host()
    let bucket = TokenBucket(rate: 8_000_000, burst: 3000, limit: 30_000)
    try host.perform {
      $0.addQdisc(Qdisc(link: 20, kind: .netem(Netem(delay: 1_000_000)), handle: 0x1_0000))
      $0.addQdisc(Qdisc(link: 20, kind: .tbf(bucket), handle: 0x2_0000, parent: 0x1_0001))
    }
    let shown = try host.tc("qdisc", "show", "dev", "a").array
    #expect(shown.map { $0["kind"].string } == ["netem", "tbf"] && shown[1]["parent"].string == "1:1")
    #expect(try read(host).map(\.parent) == [Qdisc.root, 0x1_0001])
  }

  @Test func shares() {
    #expect(Netem.Share(percent: 100).rawValue == .max && Netem.Share(percent: 200).rawValue == .max)
    #expect(Netem.Share(percent: -1).rawValue == 0 && Netem.Share(percent: .nan).rawValue == 0)
    for percent in [0, 0.001, 1, 1.5, 12.34, 50, 99.999, 100] {
      #expect(abs(Netem.Share(percent: percent).percent - percent) < 1e-7)
    }
    #expect(["\(Netem.Share(percent: 1.5))", "\(Netem.Share(percent: 0.02))"] == ["1.5%", "0.02%"])
    #expect("\(Netem.Share(percent: 100))" == "100%" && "\(Netem.Share(rawValue: 0))" == "0%")
  }
}
