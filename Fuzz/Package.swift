// swift-tools-version: 6.2
import PackageDescription

// A package of its own, because the flags that a fuzzer is built with would keep others from depending on the library.
// `Fuzz/run` builds and runs it.
let package = Package(
    name: "actor-mesh-fuzz",
    dependencies: [.package(name: "actor-mesh", path: "..")],
    targets: [
        .executableTarget(
            name: "MeshMessagePackFuzzer",
            dependencies: [.product(name: "MeshMessagePack", package: "actor-mesh")],
            // libFuzzer brings its own `main`.
            swiftSettings: [.unsafeFlags(["-parse-as-library"])]
        )
    ]
)
