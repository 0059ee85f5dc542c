import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes {
    /// What hosts that do not reach each other do to a mesh, and what is so again when they do.
    @Suite(.onlyWithNetworks) struct Partitions {
        @Test("hosts that share a folder for sockets but no network do not take each other for local")
        func apart() async throws {
            try await Network.with("broker", "one", "driver") { network in
                let cluster = try await NetworkCluster(network)
                let node = try await cluster.node(on: "one")
                try await cluster.drive(on: "driver") { mesh in
                    let echo = try await mesh.spawn(Echo.self)
                    let (one, driver) = (try network["one"], try network["driver"])
                    let before = (network.frames(from: driver, to: one), network.frames(from: one, to: driver))
                    for number in 0..<10 { #expect(try await echo.text("\(number)") == "\(number)") }
                    #expect(network.frames(from: driver, to: one) > before.0)
                    #expect(network.frames(from: one, to: driver) > before.1)
                }
                withExtendedLifetime(node) {}
            }
        }
    }
}
