import LabKit

/// A long line, a bad one and a slow one, measured. Needs a kernel with netem; `netlab test` uses the sandbox without.
@main
struct Impaired: Lab {
  // What leaves by a port of this network waits 25 ms, so that a round trip takes 50.
  let wan = Network("wan", subnet: "10.9.0.0/24").impaired(delay: .milliseconds(25))
  let near = VM("near")
  let far = VM("far")
  let lossy = VM("lossy")
  let slow = VM("slow")

  var topology: some Topology {
    Host("compute-1") {
      near.port(on: wan)
      far.port(on: wan)
      // A port's own impairment replaces its network's: these two have no delay.
      lossy.port(on: wan).impaired(loss: 10)
      slow.port(on: wan).impaired(rate: .megabits(10))
    }
  }

  var checks: some Checks {
    Ping(from: near, to: far).takes(.milliseconds(50)...(.milliseconds(100)))
    // One way only.
    Ping(from: near, to: slow).takes(.milliseconds(25)...(.milliseconds(48)))
    // Of 100 answers each tenth gets lost: by chance, 2 to 25 percent.
    Ping(from: slow, to: lossy, count: 100).loses(2...25)
    Ping(from: near, to: far, size: 1472, dontFragment: true)
    // Headers take 5 percent.
    Rate(from: slow, to: near, .megabits(8)...(.megabits(10)))
    Rate(from: near, to: slow, .megabits(12)...)
  }
}
