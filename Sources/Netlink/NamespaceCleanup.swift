internal import CNetlink
internal import Glibc

extension NetworkNamespace {
  /// Waits until the kernel has freed all namespaces whose last owner, pin and process are gone.
  ///
  /// It does so in batches, one after the other, and tells when it begins with a namespace that another one knows by a
  /// number. So a namespace that is dropped now is in the same batch as those before, or in a later one; and when a
  /// second one, dropped after the first was begun with, is begun with as well, then what came before is finished.
  ///
  /// Throws ETIMEDOUT after `limit` milliseconds without news.
  public static func waitForCleanup(limit: Int = 60_000) throws(NetlinkError) {
    let observer = try create()
    let connection = try Connection(in: observer)
    let events = try Socket(in: observer.rawDescriptor)
    try events.join(CInt(RTNLGRP_NSID.rawValue))
    for _ in 1...2 {
      let probe = try create()
      var batch = Batch()
      batch.assignID(to: probe)
      try connection.run(batch)
      let number = try connection.namespaceID(of: probe)
      _ = consume probe
      try events.waitForDeletion(ofNamespace: number, milliseconds: limit)
    }
  }
}

extension Socket {
  /// Waits until the kernel begins to free the namespace with a number.
  fileprivate func waitForDeletion(ofNamespace number: Int32?, milliseconds limit: Int) throws(NetlinkError) {
    var isGone = false
    while !isGone {
      do throws(NetlinkError) {
        try receive(within: limit) { datagram in
          _ = forEachMessage(in: datagram) { header, message in
            guard header.type == RTM_DELNSID else { return }
            message.forEachAttribute(from: 4) { type, value in
              if type == NETNSA_NSID, value.integer() == number { isGone = true }
            }
          }
        }
      } catch {
        throw error.code != EAGAIN
          ? error
          : NetlinkError(
            operation: "wait until namespaces are freed", code: ETIMEDOUT,
            advice: "something else may still use one: a process in it, or a mount of it")
      }
    }
  }
}
