internal import CNetlink

/// `nlmsgerr` with its extended acknowledgement; also the end of a dump, which has the same shape.
struct Acknowledgement {
  /// 0, or the errno.
  var code: CInt
  var message: String?
  /// Where in the request the attribute lies that the kernel objects to.
  var attributeOffset: Int?
  /// The attribute that the kernel misses.
  var missingType: Int?

  init?(_ header: MessageHeader, _ payload: RawSpan) {
    guard let code = payload.integer(as: CInt.self) else { return nil }
    self.code = code == .min ? .max : -min(code, 0)
    guard header.flags & NLM_F_ACK_TLVS != 0 else { return }
    var start = 4
    if header.type == NLMSG_ERROR {
      // The request's header follows, and with it the whole request unless it was capped.
      let requestLength = payload.integer(at: 4, as: UInt32.self) ?? 0
      start += header.flags & NLM_F_CAPPED != 0 ? MessageBuffer.headerLength : (Int(requestLength) + 3) & ~3
    }
    payload.forEachAttribute(from: start) { type, value in
      switch type {
      case Int(NLMSGERR_ATTR_MSG.rawValue): message = value.string
      case Int(NLMSGERR_ATTR_OFFS.rawValue): attributeOffset = value.integer(as: UInt32.self).map(Int.init)
      case Int(NLMSGERR_ATTR_MISS_TYPE.rawValue): missingType = value.integer(as: UInt32.self).map(Int.init)
      default: break
      }
    }
  }

  /// The error this stands for, if it is one. `request` is the message that was refused.
  func error(for request: [UInt8]) -> NetlinkError? {
    guard code != 0 else { return nil }
    let message = RequestDescription(request)
    return NetlinkError(
      operation: message.operation, code: code, kernelMessage: self.message,
      attribute: attributeOffset.flatMap(message.attributeName))
  }
}
