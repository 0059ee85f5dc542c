// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "actor-mesh",
    products: [
        .library(name: "ActorMesh", targets: ["ActorMesh"]),
        .library(name: "MeshDashboard", targets: ["MeshDashboard"]),
        .library(name: "MeshSQLite", targets: ["MeshSQLite"]),
        .library(name: "MeshTesting", targets: ["MeshTesting"]),
        .library(name: "MeshMessagePack", targets: ["MeshMessagePack"]),
        .executable(name: "mesh", targets: ["MeshCommand"]),
        .executable(name: "mesh-broker", targets: ["MeshBroker"]),
        .executable(name: "mesh-dashboard", targets: ["MeshDashboardCommand"]),
        .executable(name: "quickstart", targets: ["quickstart"]),
        .executable(name: "publisher", targets: ["publisher"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.10.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C libraries and the few system calls that Swift cannot import.
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "CMsgpack", providers: [.apt(["libmsgpack-dev"])]),
        .systemLibrary(name: "CSodium", providers: [.apt(["libsodium-dev"])]),
        .target(name: "CMeshPlatform"),

        // The library, from the bottom up; dependencies point down only.
        .target(name: "MeshMessagePack", dependencies: ["CMsgpack"]),
        .target(
            name: "MeshCore",
            dependencies: ["CMeshPlatform", .product(name: "DequeModule", package: "swift-collections")]
        ),
        .target(name: "MeshTransportInProcess", dependencies: ["MeshCore"]),
        .target(name: "MeshSecurity", dependencies: ["MeshCore", "CSodium"]),
        .target(
            name: "MeshTransportZeroMQ",
            dependencies: [
                "MeshCore", "MeshSecurity", "CMeshPlatform", "CZeroMQ",
                .product(name: "DequeModule", package: "swift-collections"),
            ]
        ),
        .target(
            name: "MeshRuntime",
            dependencies: [
                "MeshCore", "MeshMessagePack", "CMeshPlatform",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        ),
        .target(
            name: "MeshCluster",
            dependencies: [
                "MeshRuntime", "MeshCore", "MeshMessagePack", "CMeshPlatform",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        ),
        .target(
            name: "ActorMesh",
            dependencies: [
                "MeshRuntime", "MeshCluster", "MeshCore", "MeshSecurity", "MeshTransportZeroMQ", "CMeshPlatform",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]
        ),
        // SQLite, for those who want it: it brings the whole of Foundation, which no worker should link that does not use it.
        .target(
            name: "MeshSQLite",
            dependencies: ["MeshRuntime", "MeshCore", .product(name: "GRDB", package: "GRDB.swift")]
        ),
        .target(name: "CMeshBench"),
        .target(
            name: "MeshBench",
            dependencies: [
                "ActorMesh", "MeshCluster", "MeshCore", "CZeroMQ", "CMeshPlatform", "CMeshBench",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "MeshTesting",
            dependencies: [
                "ActorMesh", "MeshRuntime", "MeshCore", "MeshTransportInProcess", "MeshTransportZeroMQ",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .executableTarget(
            name: "MeshCommand",
            dependencies: [
                "ActorMesh", "MeshBench", "MeshCore", "MeshSecurity", "CZeroMQ", "CMeshPlatform",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),

        // The broker that keeps its registry in a file. A program of its own, because `mesh` runs as a worker too, and
        // SQLite with Foundation is 1.3 MB of each worker that has it.
        .executableTarget(
            name: "MeshBroker",
            dependencies: [
                "ActorMesh", "MeshSQLite", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),

        // The pages in a browser. A library and a program of their own: an HTTP server is nothing that a worker should link.
        .target(
            name: "MeshDashboard",
            dependencies: [
                "ActorMesh", "MeshRuntime", "MeshCore", "MeshSecurity",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .executableTarget(
            name: "MeshDashboardCommand",
            dependencies: [
                "ActorMesh", "MeshCore", "MeshDashboard",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),

        // Examples: one idea each, run in CI with their output checked.
        .example("quickstart"),
        .example("counter"),
        .example("supervisor-tree"),
        .example("supervisor"),
        .example("detached", excluding: ["run"]),
        .example("chaos"),
        .example("logging"),
        .example("publisher"),
        .example("account"),
        .example("account-persistent"),
        .example("python-client", excluding: ["client.py"]),
        .example("batch-inference", with: ["SeededRandom"]),
        .example("model-comparison", with: ["SeededRandom"]),
        .example("parameter-server", with: ["SeededRandom"]),
        .example("gym", with: ["SeededRandom"]),
        .example("hyperparameters", with: ["SeededRandom"]),
        .example("gpu-actor", with: ["SeededRandom"]),
        // The same random numbers on every run, for the data that examples make themselves.
        .target(name: "SeededRandom", path: "Examples/seeded-random"),

        // Tests, in rings: unit (pure), integration (real sockets, one process), process (real binaries).
        .testTarget(
            name: "MeshMessagePackTests",
            dependencies: ["MeshMessagePack", "CMsgpack"],
            resources: [.copy("Resources")]
        ),

        .testTarget(name: "MeshSecurityTests", dependencies: ["MeshSecurity", "MeshCore"]),
        .testTarget(
            name: "MeshTransportTests", dependencies: ["MeshTransportZeroMQ", "MeshSecurity", "MeshCore"]),

        // The command and the roles, as processes.
        .executableTarget(
            name: "MeshCommandFixture",
            dependencies: ["ActorMesh", .product(name: "Logging", package: "swift-log")],
            path: "Tests/MeshCommandFixture"),
        .testTarget(
            name: "MeshCommandTests",
            dependencies: [
                "MeshBroker", "MeshCommand", "MeshCommandFixture", "MeshDashboardCommand", "quickstart", "ActorMesh",
                "MeshRuntime", "MeshCore",
                "CMeshPlatform",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .target(name: "StreamFixtureActors", dependencies: ["ActorMesh"], path: "Tests/StreamFixture/Actors"),
        .executableTarget(
            name: "stream-fixture", dependencies: ["StreamFixtureActors", "ActorMesh"], path: "Tests/StreamFixture/Main"
        ),
        .testTarget(
            name: "MeshStreamTests",
            dependencies: [
                "ActorMesh", "MeshRuntime", "MeshCore", "StreamFixtureActors", "stream-fixture",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "MeshCoreTests",
            dependencies: [
                "MeshCore", "MeshTransportInProcess", .product(name: "DequeModule", package: "swift-collections"),
            ]
        ),
        .testTarget(
            name: "MeshRuntimeTests",
            dependencies: [
                "MeshRuntime", "MeshCore", "MeshMessagePack", "MeshTesting", "MeshTransportInProcess", "CMeshPlatform",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        ),
        .testTarget(
            name: "MeshDashboardTests",
            dependencies: [
                "ActorMesh", "MeshCore", "MeshDashboard", "MeshRuntime", "MeshSecurity",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        // A mesh that has something to look at, for the tests in a browser.
        .executableTarget(name: "dashboard-scene", dependencies: ["ActorMesh"], path: "Tests/Browser/Scene"),
        .testTarget(
            name: "MeshSQLiteTests",
            dependencies: ["MeshSQLite", "MeshRuntime", "MeshCore", .product(name: "GRDB", package: "GRDB.swift")]
        ),
        .testTarget(
            name: "MeshClusterTests",
            dependencies: [
                "MeshCluster", "MeshRuntime", "MeshCore", "MeshMessagePack", "MeshTransportInProcess",
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "MeshIntegrationTests",
            dependencies: [
                "MeshFixtures", "MeshTesting", "MeshTransportInProcess", "ActorMesh", "MeshRuntime", "MeshCore",
                "CZeroMQ",
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        ),

        // Actors that misbehave on purpose, and the program whose worker processes run them.
        .target(
            name: "MeshFixtures",
            dependencies: [
                "ActorMesh", "MeshSQLite", "MeshTesting", .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/MeshFixtures/Library"),
        .executableTarget(
            name: "mesh-fixtures",
            dependencies: ["ActorMesh", "MeshFixtures"],
            path: "Tests/MeshFixtures/Program"
        ),
        .target(name: "CTestNetwork", path: "Tests/CTestNetwork"),
        .testTarget(
            name: "MeshProcessTests",
            dependencies: [
                "ActorMesh", "CMeshPlatform", "CTestNetwork", "MeshCluster", "MeshCore", "MeshFixtures", "MeshRuntime",
                "MeshSecurity", "MeshTesting",
            ]
        ),
    ]
)

// The fuzzers, which nobody builds who does not ask for them: the flags that they need would keep others from depending
// on this package. `Fuzz/run` builds and runs them.
if Context.environment["ACTORMESH_FUZZ"] != nil {
    package.targets += [
        .fuzzer("MeshMessagePackFuzzer", of: ["MeshMessagePack"]),
        .fuzzer(
            "MeshReceiveFuzzer", of: ["MeshRuntime", "MeshCore", .product(name: "Logging", package: "swift-log")]),
        .fuzzer("MeshControlFuzzer", of: ["MeshCluster", "MeshRuntime", "MeshCore", "MeshMessagePack"]),
    ]
}

extension Target {
    /// A program of libFuzzer, which brings its own `main`.
    static func fuzzer(_ name: String, of parts: [Dependency]) -> Target {
        .executableTarget(
            name: name, dependencies: parts, path: "Fuzz/Sources/\(name)",
            swiftSettings: [.unsafeFlags(["-parse-as-library"])])
    }

    /// A program in a folder of its own under `Examples`, with a README and what it prints.
    static func example(
        _ name: String, excluding others: [String] = [], with parts: [Dependency] = []
    ) -> Target {
        .executableTarget(
            name: name, dependencies: ["ActorMesh"] + parts, path: "Examples/\(name)",
            exclude: ["README.md", "expected.txt"] + others)
    }
}

// One table of settings for every Swift target.
let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),  // SE-0335: `any` is written out
    .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409: imports do not leak into the interface
    .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444: members come only from what a file imports
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),  // SE-0461: async functions stay where they are called
]
for target in package.targets
where target.type != .system && !["CMeshPlatform", "CMeshBench", "CTestNetwork"].contains(target.name) {
    target.swiftSettings = (target.swiftSettings ?? []) + swiftSettings
}
