import LabKit
import Values

/// The addresses of each network that are taken, and where the search for a free one goes on.
struct AddressPools {
  private let subnets: [[IPPrefix]]
  private var taken: [[IPAddress: Owner]]
  private var cursors: [[UInt128]]

  init(_ subnets: [[IPPrefix]]) {
    self.subnets = subnets
    self.taken = Array(repeating: [:], count: subnets.count)
    // The first address of a subnet is its gateway's in Neutron, so the search begins behind it where there is room.
    self.cursors = subnets.map {
      $0.map { $0.networkAddress == nil ? 0 : $0.family.width - $0.length <= 2 ? 1 : 2 }
    }
  }

  /// Takes an address; gives back who has it already, if anyone does.
  mutating func claim(_ address: IPAddress, on network: Int, by owner: Owner) -> Owner? {
    if let other = taken[network][address] { return other }
    taken[network][address] = owner
    return nil
  }

  /// Takes the first free address of the network's subnets of a family; `nil` when they are exhausted.
  mutating func next(_ family: IPAddress.Family, on network: Int, by owner: Owner) -> IPPrefix? {
    for (index, subnet) in subnets[network].enumerated() where subnet.family == family {
      while subnet.address.value + cursors[network][index] <= subnet.lastAddress.value {
        let address = IPAddress(family: family, value: subnet.address.value + cursors[network][index])
        cursors[network][index] += 1
        if address == subnet.broadcast || taken[network][address] != nil { continue }
        taken[network][address] = owner
        return IPPrefix(address: address, length: subnet.length)
      }
    }
    return nil
  }
}
