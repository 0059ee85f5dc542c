import Foundation
import Testing

extension Commands {
    @Suite("Where the processes of a mesh are reached", .serialized)
    struct AddressesTests {
        @Test("a mesh lives on IPv6 as well", arguments: ["tcp://[::1]:*"])
        func version6(address: String) async throws {
            try await Scene.run { scene in
                _ = try await scene.broker(at: address)
                #expect(scene.mesh.hasPrefix("tcp://[::1]:"))
                _ = try await scene.node()
                let driver = try await scene.driver()
                #expect(try await driver.ask("spawn one").hasPrefix("spawned"))
                #expect(try await driver.ask("call one") == "one is 1")
                let nodes = try JSONDecoder().decode(
                    [Node].self, from: Data(try await scene.mesh("nodes", "--format", "json").utf8))
                #expect(nodes.first?.endpoints.contains { $0.hasPrefix("tcp://[::1]:") } == true)
            }
        }

        @Test("what is advertised is what the mesh tells of a process, and ports are taken from a range")
        func advertised() async throws {
            try await Scene.run { scene in
                let broker = try scene.start(
                    "mesh", "broker", "--no-dashboard", "--bind", "tcp://127.0.0.1:*", "--advertise",
                    "tcp://localhost:*",
                    "--advertise",
                    "tcp://mesh.example:4711")
                let ready = try await broker.line("broker ready at ").split(separator: " ").map(String.init)
                #expect(ready.count == 5 && ready[4] == "tcp://mesh.example:4711")
                let mesh = try #require(ready.first { $0.hasPrefix("tcp://localhost:") })
                let first = try #require(Int(mesh.split(separator: ":").last ?? "")).advanced(by: 1)
                let range = min(first, 65_000)...min(first, 65_000) + 50
                let node = try scene.start(
                    "MeshCommandFixture", "node", "--mesh", mesh, "--bind",
                    "tcp://127.0.0.1:\(range.lowerBound)-\(range.upperBound)", "--advertise", "tcp://localhost:*")
                try await node.line("has joined")
                let driver = try scene.start("MeshCommandFixture", environment: ["MESH_ADDRESS": mesh])
                try await driver.line("ready")
                #expect(try await driver.ask("spawn one").hasPrefix("spawned"))
                #expect(try await driver.ask("call one") == "one is 1")
                let json = try await scene.mesh("nodes", "--format", "json", "--mesh", mesh)
                let nodes = try JSONDecoder().decode([Node].self, from: Data(json.utf8))
                let ports = nodes.flatMap(\.endpoints).filter { $0.hasPrefix("tcp://localhost:") }
                    .compactMap { Int($0.split(separator: ":").last ?? "") }
                #expect(ports.count == 1 && ports.allSatisfy(range.contains))
            }
        }

        @Test(
            "addresses to which nobody can connect are refused with what to do",
            arguments: ["broker", "node", "actors"])
        func refused(command: String) async throws {
            try await Scene.run { scene in
                let output = try await scene.mesh(command, "--advertise", "tcp://0.0.0.0:4711", expecting: 64)
                #expect(output.contains("leave 0.0.0.0 to --bind"))
            }
        }

        private struct Node: Decodable {
            var endpoints: [String]
        }
    }
}
