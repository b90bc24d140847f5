import LabKit

/// A web server in one VM, which another one finds by its name.
@main
struct WebService: Lab {
  let net = Network("web_net", subnet: "192.168.41.0/24")
  let web = VM("web", sysctls: ["net.core.somaxconn": "1024"])
  let client = VM("client")

  var topology: some Topology {
    Host("compute-1") {
      web.port(on: net, ip: "192.168.41.10")
      client.port(on: net, ip: "192.168.41.20")
      web.runs("python3", "-m", "http.server", "80", name: "http", ready: .tcp(80))
    }
  }

  var checks: some Checks {
    Ping(from: client, to: web)
    Run(on: client, "getent", "hosts", "web", output: .contains("192.168.41.10"))
    Run(on: web, "hostname", output: .contains("web"))
    Run(
      on: client, "python3", "-c", "import urllib.request as u; print(u.urlopen('http://web/').status)",
      output: .contains("200"))
  }
}
