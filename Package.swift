// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// Labs that ship. Each is one file, and an executable target of its own so that the build type-checks it.
let labs = ["TwoVMs", "TwoSubnets", "TwoNetworks", "TrunkVM", "Crowd"]

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
    .target(name: "Netlink", dependencies: ["CNetlink"], swiftSettings: swiftSettings),
    .target(name: "LabKit", swiftSettings: swiftSettings),
    .target(
      name: "LabRunner",
      dependencies: [
        "LabKit", "Netlink",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: swiftSettings),
    // C alone, and static: it starts at once.
    .executableTarget(
      name: "netlab-exec",
      linkerSettings: [.unsafeFlags(["-static-executable", "-Xlinker", "--gc-sections", "-Xlinker", "-s"])]),
    .executableTarget(
      name: "netlab",
      dependencies: [
        "CNetlink", "LabRunner",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings,
      // With Swift's libraries inside it starts three times as fast, and runs where no Swift is installed.
      linkerSettings: [
        .unsafeFlags(["-static-stdlib"]), .linkedLibrary("_FoundationCShims"),
        .linkedLibrary("_FoundationCollections"),
      ]),
    .target(
      name: "TestSupport", dependencies: ["LabRunner"], path: "Tests/TestSupport",
      swiftSettings: swiftSettings),
    .testTarget(
      name: "NetlinkTests", dependencies: ["LabRunner", "Netlink", "TestSupport"],
      swiftSettings: swiftSettings),
    .testTarget(name: "LabKitTests", dependencies: ["LabKit"], swiftSettings: swiftSettings),
    .testTarget(
      name: "LabRunnerTests", dependencies: ["LabRunner", "TestSupport"], swiftSettings: swiftSettings),
    .testTarget(
      name: "CommandTests", dependencies: ["LabKit", "LabRunner", "TestSupport"], swiftSettings: swiftSettings
    ),
  ]
    + labs.map { lab in
      .executableTarget(
        name: lab, dependencies: ["LabKit"], path: "Labs",
        exclude: labs.filter { $0 != lab }.map { "\($0).swift" },
        sources: ["\(lab).swift"], swiftSettings: swiftSettings)
    }
)
