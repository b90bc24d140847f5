/// Makes the kernel go on with the carriers that it has still to look at.
///
/// It does so in work of its own, a hundred links at a time, and then rests for up to a second, unless a cable's carrier
/// changes: then it goes on at once. So a cable in a namespace that nobody sees goes up and down.
public struct CarrierWork: ~Copyable {
  private let connection: Connection
  private var isUp = false
  private static let ends: [Int32] = [16, 17]

  /// Makes the cable (`ip link add … type veth peer …`).
  public init() throws(NetlinkError) {
    let namespace = try NetworkNamespace.create()
    let connection = try Connection(in: namespace)
    var batch = Batch()
    batch.createLink(
      NewLink(
        .veth(peer: NewLink.Peer(name: "b", index: Self.ends[1], queues: 1)), name: "a", index: Self.ends[0],
        queues: 1))
    batch.setLink(Self.ends[1], LinkChange(isUp: true))
    try connection.run(batch)
    self.connection = connection
  }

  /// Has the next hundred looked at, soon.
  public mutating func advance() throws(NetlinkError) {
    isUp.toggle()
    var batch = Batch()
    batch.setLink(Self.ends[0], LinkChange(isUp: isUp))
    try connection.run(batch)
  }
}
