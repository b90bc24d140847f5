// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// What is compiled by others keeps its imports to itself.
let librarySettings = swiftSettings + [.enableUpcomingFeature("InternalImportsByDefault")]

/// One layer of what touches the machine. It may import only what is listed, so that SwiftPM refuses circles.
func layer(_ name: String, _ dependencies: Target.Dependency...) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

let layers = [
  layer("LabMachine", "CNetlink", "Netlink", system),
  layer("LabProcesses", "LabMachine", "LabModel", subprocess, system),
  layer("LabKeeper", "CNetlink", "LabProcesses", system),
  layer("LabKernel", "CNetlink", "LabKeeper", "Netlink", "Values"),
  layer("LabLifecycle", "LabKernel", logging, system),
  layer("LabLoading", "CNetlink", "LabProcesses", system),
  layer("LabInspect", "LabLifecycle"),
  layer("LabTrace", "LabInspect"),
  layer("LabCapture", "LabInspect"),
  layer("LabChecks", "LabCapture", "LabTrace"),
  layer("LabGraph", "LabTrace"),
  layer("LabMutation", "LabChecks"),
  layer("LabSandbox", "CNetlink", "LabMachine", system),
]

/// Labs that ship. Each is one file, and an executable target of its own so that the build type-checks it.
let labs = ["TwoVMs", "TwoSubnets", "TwoNetworks", "TrunkVM", "Crowd", "Service", "Impaired"]

let package = Package(
  name: "netlab",
  products: [
    .executable(name: "netlab", targets: ["netlab"]),
    .executable(name: "netlab-exec", targets: ["netlab-exec"]),
    // Labs are compiled against this library, outside SwiftPM (see ARCHITECTURE.md).
    .library(name: "LabKit", type: .dynamic, targets: ["LabKit"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0", traits: []),
  ],
  targets: [
    .systemLibrary(name: "CMnl", pkgConfig: "libmnl", providers: [.apt(["libmnl-dev"])]),
    .target(name: "CNetlink", dependencies: ["CMnl"]),
    .target(name: "Values", swiftSettings: librarySettings),
    .target(name: "Netlink", dependencies: ["CNetlink", "Values"], swiftSettings: librarySettings),
    .target(name: "LabKit", dependencies: ["Values"], swiftSettings: librarySettings),
    .target(name: "LabModel", dependencies: ["LabKit"], swiftSettings: swiftSettings),
    // C alone, and static: it starts at once.
    .executableTarget(
      name: "netlab-exec",
      linkerSettings: [.unsafeFlags(["-static-executable", "-Xlinker", "--gc-sections", "-Xlinker", "-s"])]),
    .executableTarget(
      name: "netlab",
      dependencies: [
        "CNetlink", "LabGraph", "LabLoading", "LabMutation", "LabSandbox",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings,
      // With Swift's libraries inside it starts three times as fast, and runs where no Swift is installed.
      linkerSettings: [
        .unsafeFlags(["-static-stdlib"]), .linkedLibrary("_FoundationCShims"),
        .linkedLibrary("_FoundationCollections"),
      ]),
    .target(
      name: "TestSupport", dependencies: ["LabKernel"], path: "Tests/TestSupport",
      swiftSettings: swiftSettings),
    .testTarget(name: "NetlinkTests", dependencies: ["TestSupport"], swiftSettings: swiftSettings),
    .testTarget(name: "LabKitTests", dependencies: ["LabModel"], swiftSettings: swiftSettings),
    .testTarget(
      name: "LabRunnerTests",
      dependencies: ["LabGraph", "LabLoading", "LabMutation", "LabSandbox", "TestSupport"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "CommandTests", dependencies: ["LabLoading", "LabMutation", "LabSandbox", "TestSupport"],
      swiftSettings: swiftSettings),
  ]
    + layers
    + labs.map { lab in
      .executableTarget(
        name: lab, dependencies: ["LabKit"], path: "Labs",
        exclude: labs.filter { $0 != lab }.map { "\($0).swift" },
        sources: ["\(lab).swift"], swiftSettings: swiftSettings)
    }
)
