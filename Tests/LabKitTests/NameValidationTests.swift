import Testing
import Values

@testable import LabKit
@testable import LabModel

/// Empty labs, and what can be a name.
@Suite struct NameValidationTests {
  @Test(arguments: names)
  func finds(mistake: Mistake) { mistake.check(file: #filePath) }

  static let names: [Mistake] = [
    Mistake("empty lab") {}.gives(
      """
      error: the lab has no VM
        fix: add one to the topology: Host("compute-1") { VM("vm-1").port(on: network) }
      """),
    Mistake("host without VMs") {
      Host("compute-1") {}
    }.gives(
      """
      1:11: error: the lab has no VM
        fix: add one to the topology: Host("compute-1") { VM("vm-1").port(on: network) }
      """),
    Mistake("lab's name", lab: "my lab") {
      Host("h") { VM("a") }
    }.gives(
      """
      error: the lab's name 'my lab' contains ' '; letters, digits, '-' and '_' can be used
        fix: name the type otherwise, or give the lab a `static var name: String { "my-lab" }`
      """),
    Mistake("duplicate VM") {
      Host("h") {
        VM("a")
        VM("a")
      }
    }.gives(
      """
      3:11: error: 'a' is already the name of a VM, declared on line 2
        fix: rename one of them; to name one VM twice, keep it in a `let` and use that
      """),
    Mistake("duplicate host") {
      Host("h") { VM("a") }
      Host("h") { VM("b") }
    }.gives(
      """
      2:11: error: 'h' is already the name of a host, declared on line 1
        fix: rename one of them; to name one host twice, keep it in a `let` and use that
      """),
    Mistake("VM and host of one name") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") { VM("h").port(on: net) }
    }.gives(
      """
      2:21: error: 'h' is already the name of a host, declared on line 2
        fix: rename one of them
      """),
    Mistake("duplicate network") {
      Network("net", subnet: "10.0.0.0/24")
      Network("net", subnet: "10.1.0.0/24")
      Host("h") { VM("a").port(on: "net") }
    }.gives(
      """
      2:14: error: 'net' is already the name of a network, declared on line 1
        fix: rename one of them; to name one network twice, keep it in a `let` and use that
      """),
    Mistake("names with wrong characters") {
      Host("h/../x") {
        VM("")
        VM("..")
        VM("-a")
        VM("web server")
        VM("vm\u{1b}[31m")
        VM("a.b")
        VM("größe")
        VM("a\nerror: forged")
        VM("user\u{202e}txt")
        VM("zero\u{200b}width")
      }
    }.gives(
      #"""
      1:11: error: the host's name 'h/../x' contains '/'; letters, digits, '-' and '_' can be used
        fix: write 'h----x'
      2:11: error: the VM's name '' is empty
      3:11: error: the VM's name '..' contains '.'; letters, digits, '-' and '_' can be used
      4:11: error: the VM's name '-a' must begin with a letter or digit
        fix: write 'a'
      5:11: error: the VM's name 'web server' contains ' '; letters, digits, '-' and '_' can be used
        fix: write 'web-server'
      6:11: error: the VM's name 'vm\u{1B}[31m' contains the invisible character U+1B; letters, digits, '-' and '_' can be used
        fix: write 'vm--31m'
      7:11: error: the VM's name 'a.b' contains '.'; letters, digits, '-' and '_' can be used
        fix: write 'a-b'
      8:11: error: the VM's name 'größe' contains 'ö'; letters, digits, '-' and '_' can be used
        fix: write 'gr--e'
      9:11: error: the VM's name 'a\nerror: forged' contains the invisible character U+A; letters, digits, '-' and '_' can be used
        fix: write 'a-error--forged'
      10:11: error: the VM's name 'user\u{202E}txt' contains the invisible character U+202E; letters, digits, '-' and '_' can be used
        fix: write 'user-txt'
      11:11: error: the VM's name 'zero\u{200B}width' contains the invisible character U+200B; letters, digits, '-' and '_' can be used
        fix: write 'zero-width'
      """#),
    Mistake("long names") {
      let long = String(repeating: "n", count: 64)
      Network(long)
      Host("h") { VM(String(long.dropLast())).port(on: Network("short")) }
      Host(long) { VM(String(repeating: "x", count: 70)) }
    }.gives(
      """
      2:14: error: the network's name 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' is longer than 63 characters
        fix: write 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn'
      4:11: error: the host's name 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' is longer than 63 characters
        fix: write 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn'
      4:22: error: the VM's name 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' is longer than 63 characters
        fix: write 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'
      """),
    Mistake("network names") {
      Network("")
      Network("a/b")
      Network("..")
      Network("two words")
      Network("$(reboot)")
      Network("tab\t")
      Network("v1.2_ok")
      Host("h") { VM("a") }
    }.gives(
      #"""
      1:14: error: the network's name '' is empty
      2:14: error: the network's name 'a/b' contains '/'; letters, digits, '-', '_' and '.' can be used
        fix: write 'a-b'
      3:14: error: the network's name '..' must begin with a letter or digit
      4:14: error: the network's name 'two words' contains ' '; letters, digits, '-', '_' and '.' can be used
        fix: write 'two-words'
      5:14: error: the network's name '$(reboot)' contains '$'; letters, digits, '-', '_' and '.' can be used
        fix: write 'reboot-'
      6:14: error: the network's name 'tab\t' contains the invisible character U+9; letters, digits, '-', '_' and '.' can be used
        fix: write 'tab-'
      """#),
    Mistake("interface names") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(on: net, device: "lo")
        VM("b").port(on: net, device: "all")
        VM("c").port(on: net, device: "sixteen-letters-")
        VM("d").port(on: net, device: "fifteen-letters")
        VM("e").port(on: net, device: "../eth0")
        VM("f").port(on: net, device: "eth 0")
        VM("g").port(on: net, device: "")
        VM("h2").port(on: net, device: "-x")
      }
    }.gives(
      """
      3:21: error: the interface's name 'lo' is reserved by the system
        fix: leave it out, or write eth0
      4:21: error: the interface's name 'all' is reserved by the system
        fix: leave it out, or write eth0
      5:21: error: the interface's name 'sixteen-letters-' is longer than 15 characters
        fix: write 'sixteen-letters'
      7:21: error: the interface's name '../eth0' contains '/'; letters, digits, '-', '_' and '.' can be used
        fix: write 'eth0'
      8:21: error: the interface's name 'eth 0' contains ' '; letters, digits, '-', '_' and '.' can be used
        fix: write 'eth-0'
      9:21: error: the interface's name '' is empty
        fix: leave it out, or write eth0
      10:22: error: the interface's name '-x' must begin with a letter or digit
        fix: write 'x'
      """),
    Mistake("interface twice") {
      let net = Network("net", subnet: "10.0.0.0/24")
      let vm = VM("a")
      Host("h") {
        vm.port(on: net, device: "data0")
        vm.port(on: net, device: "data0")
      }
    }.gives(
      """
      5:16: error: 'data0' is already an interface of VM 'a', declared on line 4
        fix: leave the device out, or give it another name
      """),
  ]
}
