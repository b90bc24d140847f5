import LabKit
import LabModel
import Testing
import Values

@Suite struct MACAddressTests {
  @Test(arguments: [
    ("fa:16:3e:50:1a:a3", "fa:16:3e:50:1a:a3"),
    ("FA:16:3E:50:1A:A3", "fa:16:3e:50:1a:a3"),
    ("fa-16-3e-50-1a-a3", "fa:16:3e:50:1a:a3"),
    ("00:00:00:00:00:00", "00:00:00:00:00:00"),
    ("ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff"),
  ])
  func parses(text: String, canonical: String) throws {
    let mac = try #require(MACAddress(text))
    #expect(mac.description == canonical)
    #expect(MACAddress(bytes: mac.bytes) == mac)
  }

  @Test(arguments: [
    "", "fa", "fa:16:3e:50:1a", "fa:16:3e:50:1a:a3:00", "fa:16:3e:50:1a:g3", "fa163e501aa3",
    "fa:16:3e:50:1a:a",
    "fa:16:3e:50:1a:+3", "fa:16:3e:50:1a: 3", " fa:16:3e:50:1a:a3", "fa:16-3e:50:1a:a3", "fa::16:3e:50:1a:a3",
    "::fa:16:3e:50:1a:", "ｆa:16:3e:50:1a:a",
  ])
  func refuses(text: String) { #expect(MACAddress(text) == nil) }

  @Test func hasKinds() throws {
    #expect(try #require(MACAddress("01:00:5e:00:00:01")).isMulticast)
    #expect(try #require(MACAddress("ff:ff:ff:ff:ff:ff")).isMulticast)
    #expect(try !#require(MACAddress("fa:16:3e:50:1a:a3")).isMulticast)
    #expect(MACAddress(value: 0).isZero)
    #expect(try #require(MACAddress("fa:16:3e:50:1a:a3")).hostSide.description == "fe:16:3e:50:1a:a3")
    #expect(MACAddress(value: .max).description == "ff:ff:ff:ff:ff:ff")
    #expect(MACAddress(bytes: []) == nil)
    #expect(MACAddress(bytes: [1, 2, 3, 4, 5, 6, 7]) == nil)
  }
}

@Suite struct IPAddressTests {
  /// RFC 4291 forms, and the one text that RFC 5952 gives each.
  @Test(arguments: [
    ("192.168.21.52", "192.168.21.52"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
    ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("0:0:0:0:0:0:0:0", "::"), ("FD00::A", "fd00::a"),
    ("2001:0db8::0001", "2001:db8::1"), ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
    ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),  // one zero group is not shortened
    ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),  // the longer run is
    ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),  // the first of two equal ones is
    ("0:0:1:0:0:0:0:0", "0:0:1::"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
    ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
    ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
  ])
  func parses(text: String, canonical: String) throws {
    let address = try #require(IPAddress(text))
    #expect(address.description == canonical)
    #expect(IPAddress(canonical) == address)
    #expect(IPAddress(bytes: address.bytes) == address)
    #expect(address.bytes.count * 8 == address.family.width)
  }

  @Test(arguments: [
    "", ".", ":", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1.2.3.-1", "1.2.3.+1", "1.2.3.4 ",
    "1..2.3",
    "0x1.2.3.4", "1.2.3.4/24", "１.2.3.4", ":::", "::1::", "1::2::3", ":1::2", "1::2:", "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "g::", "-0::", "::-0", "::+1", "::1.2.3",
    "1.2.3.4::",
    "::1.2.3.4:5", "fe80::1%eth0", "[::1]", "1:2:3:4:5:6:7:1.2.3.4",
  ])
  func refuses(text: String) { #expect(IPAddress(text) == nil) }

  @Test func hasKinds() throws {
    let kinds = { (text: String) in
      let address = try #require(IPAddress(text))
      return [address.isMulticast, address.isLoopback, address.isLinkLocal]
    }
    #expect(try kinds("224.0.0.1") == [true, false, false])
    #expect(try kinds("239.255.255.255") == [true, false, false])
    #expect(try kinds("240.0.0.0") == [false, false, false])
    #expect(try kinds("127.255.0.1") == [false, true, false])
    #expect(try kinds("169.254.1.1") == [false, false, true])
    #expect(try kinds("ff02::1") == [true, false, false])
    #expect(try kinds("::1") == [false, true, false])
    #expect(try kinds("fe80::1") == [false, false, true])
    #expect(try kinds("febf::1") == [false, false, true])
    #expect(try kinds("fec0::1") == [false, false, false])
    #expect(IPAddress(bytes: [1, 2, 3]) == nil)
  }
}

@Suite struct IPPrefixTests {
  @Test(arguments: [
    // text, subnet, network address, broadcast address
    ("192.168.21.52/24", "192.168.21.0/24", "192.168.21.0", "192.168.21.255"),
    ("10.1.2.3/0", "0.0.0.0/0", "0.0.0.0", "255.255.255.255"),
    ("10.1.2.3/30", "10.1.2.0/30", "10.1.2.0", "10.1.2.3"),
    ("10.1.2.3/31", "10.1.2.2/31", nil, nil), ("10.1.2.3/32", "10.1.2.3/32", nil, nil),
    ("fd00::5/64", "fd00::/64", "fd00::", nil), ("fd00::5/0", "::/0", "::", nil),
    ("fd00::5/126", "fd00::4/126", "fd00::4", nil), ("fd00::5/127", "fd00::4/127", nil, nil),
    ("fd00::5/128", "fd00::5/128", nil, nil),
  ])
  func hasParts(text: String, subnet: String, network: String?, broadcast: String?) throws {
    let prefix = try #require(IPPrefix(text))
    #expect(prefix.description == text)
    #expect(prefix.subnet.description == subnet)
    #expect(prefix.networkAddress?.description == network)
    #expect(prefix.broadcast?.description == broadcast)
    #expect(prefix.contains(prefix.address))
    #expect(prefix.overlaps(prefix))
  }

  @Test(arguments: [
    "", "/", "10.0.0.0", "10.0.0.0/", "/24", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8",
    "10.0.0.0/ 8", "fd00::/129", "fd00::/1000", "10.0.0.0/99999999999999999999", "10.0.0/8",
  ])
  func refuses(text: String) { #expect(IPPrefix(text) == nil) }

  @Test(arguments: [
    ("10.0.0.0/24", "10.0.0.255", true), ("10.0.0.0/24", "10.0.1.0", false),
    ("0.0.0.0/0", "255.255.255.255", true),
    ("10.0.0.7/32", "10.0.0.7", true), ("10.0.0.7/32", "10.0.0.6", false), ("fd00::/64", "fd00::ffff", true),
    ("fd00::/64", "fd00:0:0:1::", false), ("::/0", "ffff::", true), ("::/0", "10.0.0.1", false),
    ("0.0.0.0/0", "::", false), ("10.0.0.200/24", "10.0.0.1", true),
  ])
  func contains(prefix: String, address: String, expected: Bool) throws {
    #expect(try #require(IPPrefix(prefix)).contains(#require(IPAddress(address))) == expected)
  }

  @Test(arguments: [
    ("10.0.0.0/24", "10.0.0.0/25", true), ("10.0.0.0/24", "10.0.1.0/24", false),
    ("0.0.0.0/0", "10.0.0.0/32", true),
    ("::/0", "0.0.0.0/0", false), ("10.0.0.129/25", "10.0.0.0/25", false), ("fd00::/64", "fd00::8/127", true),
  ])
  func overlaps(first: String, second: String, expected: Bool) throws {
    let (first, second) = (try #require(IPPrefix(first)), try #require(IPPrefix(second)))
    #expect(first.overlaps(second) == expected)
    #expect(second.overlaps(first) == expected)
  }
}
