import LabKernel
import LabModel
import LabTrace
import Netlink
import Values

extension CheckContext {
  /// Fails when a sender could not reach anybody anyway: then that somebody does not answer proves nothing.
  ///
  /// Looked at is the interface that the route to the target leads out of; without a route, all of the sender's.
  func requireSender(_ sender: String, canReach target: IPAddress) throws {
    let passage = Passage(sender: sender, target: target)
    let connection = try open(sender).connection
    let links = try connection.links()
    let used = try connection.outgoingLink(to: target)
    let addresses = Set(try connection.addresses().map(\.address.address))
    for port in try vm(sender).allPorts {
      guard let link = links.first(where: { $0.name == port.device }) else {
        throw Failure(
          expected: "\(sender)'s own interface \(port.device)",
          seen: "there is none, so that no reply proves nothing", passage: passage)
      }
      if let used, used != link.index { continue }
      guard link.isUp, link.hasCarrier != false else {
        throw Failure(
          expected: "\(sender)'s own interface \(port.device) up and with a carrier",
          seen: "it is \(link.isUp ? "without a carrier" : "down"), so that no reply proves nothing",
          passage: passage)
      }
      for address in port.addresses where !addresses.contains(address.address) {
        throw Failure(
          expected: "\(address) on \(sender)'s own interface \(port.device)",
          seen: "it is not there, so that no reply proves nothing", passage: passage)
      }
    }
  }
}

extension Connection {
  /// The ifindex that the most specific route to an address leads out of; `nil` without a route.
  fileprivate func outgoingLink(to target: IPAddress) throws -> Int32? {
    try routes(table: Netlink.Route.mainTable)
      .filter { $0.destination.contains(target) }
      .max { $0.destination.length < $1.destination.length }?.link
  }
}
