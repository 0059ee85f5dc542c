import Foundation
import Glibc
import Testing

extension Commands {
    /// B4: without a key of the mesh nobody gets in, and each key gives the rights of its role and no more.
    @Suite("B4: the keys of a mesh", .serialized)
    struct KeysTests {
        /// A broker and a node with a mesh key, and a folder with other keys: a driver's, an observer's, and one of another
        /// mesh.
        private func withKeys(
            storing: Bool = false, _ body: (Scene, _ folder: String) async throws -> Void
        ) async throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "mesh-keys-\(UUID())").path()
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try await Scene.run { scene in
                try await scene.mesh("keygen", "\(folder)/mesh.key")
                try await scene.mesh("keygen", "\(folder)/foreign.key")
                scene.use(key: "\(folder)/mesh.key")
                try await scene.mesh("keygen", "--role", "driver", "--number", "3", "\(folder)/driver.key")
                for number in ["7", "8"] {
                    try await scene.mesh(
                        "keygen", "--role", "observer", "--number", number, "\(folder)/observer-\(number).key")
                }
                _ = try await scene.broker(storing: storing ? "\(folder)/registry.sqlite" : nil)
                _ = try await scene.node()
                try await body(scene, folder)
            }
        }

        @Test(
            "without a key only this host's own addresses can be bound", arguments: ["tcp://0.0.0.0:*", "tcp://[::]:*"])
        func keylessBinding(address: String) async throws {
            try await Scene.run { scene in
                let output = try await scene.mesh("broker", "--no-dashboard", "--bind", address, expecting: 1)
                #expect(output.contains("unauthorized") && output.contains("mesh keygen"))
            }
        }

        @Test("everything works with a key: actors, tasks, tailing")
        func members() async throws {
            try await self.withKeys { scene, _ in
                let driver = try await scene.driver()
                #expect(try await driver.ask("spawn one").hasPrefix("spawned"))
                #expect(try await driver.ask("call one") == "one is 1")
                #expect(try await driver.ask("squares 3") == "sum 14")
                #expect(try await scene.mesh("actors").contains("one"))
            }
        }

        @Test(
            "no key, or the key of another mesh: nobody gets in, and is told so at once",
            arguments: ["", "foreign.key"])
        func outsiders(key: String) async throws {
            try await self.withKeys { scene, folder in
                let file = key.isEmpty ? "" : "\(folder)/\(key)"
                let began = ContinuousClock.now
                for arguments in [["actors"], ["messages", "any"], ["kill", "any"], ["node", "--name", "intruder"]] {
                    let output = try await scene.mesh(arguments + ["--timeout", "60"], key: file, expecting: 1)
                    #expect(output.contains("unauthorized") && output.contains("does not let this process in"))
                }
                // Far below the time that they were given.
                #expect(ContinuousClock.now - began < .seconds(60))
                #expect(try await scene.mesh("nodes").contains("alpha"))
                #expect(try await !scene.mesh("nodes").contains("intruder"))
            }
        }

        @Test("who has a key does not take a mesh without one for his own")
        func keylessMesh() async throws {
            try await self.withKeys { scene, folder in
                try await Scene.run { other in
                    _ = try await other.broker()
                    let output = try await other.mesh("actors", key: "\(folder)/mesh.key", expecting: 1)
                    #expect(output.contains("unauthorized"))
                }
            }
        }

        @Test("a driver's key spawns, calls and kills, but is no node's")
        func driver() async throws {
            try await self.withKeys { scene, folder in
                let key = ["MESH_KEY_FILE": "\(folder)/driver.key"]
                let driver = try scene.start("MeshCommandFixture", environment: key)
                try await driver.line("ready")
                #expect(try await driver.ask("spawn one").hasPrefix("spawned"))
                #expect(try await driver.ask("call one") == "one is 1")
                #expect(try await driver.ask("squares 3") == "sum 14")
                #expect(try await driver.ask("kill one") == "killed one")
                let output = try await scene.mesh("node", key: "\(folder)/driver.key", expecting: 1)
                #expect(output.contains("unauthorized") && output.contains("the key of driver 3"))
                let broker = try await scene.mesh(
                    "broker", "--no-dashboard", "--bind", "tcp://127.0.0.1:*", key: "\(folder)/driver.key", expecting: 1
                )
                #expect(broker.contains("unauthorized"))
            }
        }

        @Test("an observer lists and tails, and may do nothing else")
        func observer() async throws {
            try await self.withKeys { scene, folder in
                let member = try await scene.driver()
                #expect(try await member.ask("collect lines") == "collecting lines")
                #expect(try await member.ask("add lines hello there") == "added")
                #expect(try await member.ask("spawn one").hasPrefix("spawned"))
                let key = "\(folder)/observer-7.key"
                #expect(try await scene.mesh("actors", key: key).contains("one"))
                #expect(try await scene.mesh("nodes", key: key).contains("alpha"))
                #expect(try await scene.mesh("messages", "lines", key: key).contains("hello there"))
                try await eventually("what was said can be read") {
                    try await scene.mesh("logs", key: key).contains("hello there")
                }
                for forbidden in [
                    ["kill", "one"], ["stop", "one"], ["revoke", "observer", "8"], ["publish", "lines", "forged"],
                ] {
                    let output = try await scene.mesh(forbidden, key: key, expecting: 1)
                    #expect(output.contains("unauthorized"))
                }
                let observer = try scene.start("MeshCommandFixture", environment: ["MESH_KEY_FILE": key])
                try await observer.line("ready")
                for forbidden in ["spawn two", "kill one", "squares 2"] {
                    #expect(try await observer.ask(forbidden).hasPrefix("error unauthorized"))
                }
                #expect(try await observer.ask("find one") == "found one")
                #expect(try await observer.ask("call one").hasPrefix("error unauthorized"))
                #expect(try await member.ask("call one") == "one is 1")
            }
        }

        @Test(
            "a key that is revoked is worth nothing from then on; others' are, and a broker with a store remembers it")
        func revoked() async throws {
            try await self.withKeys(storing: true) { scene, folder in
                let member = try await scene.driver()
                #expect(try await member.ask("collect lines") == "collecting lines")
                #expect(try await member.ask("add lines before") == "added")
                let (seven, eight) = ("\(folder)/observer-7.key", "\(folder)/observer-8.key")
                let one = try scene.start(
                    "mesh", "messages", "lines", "--follow", environment: ["MESH_KEY_FILE": seven])
                let other = try scene.start(
                    "mesh", "messages", "lines", "--follow", environment: ["MESH_KEY_FILE": eight])
                try await one.line("before")
                try await other.line("before")
                #expect(try await scene.mesh("revoke", "observer", "7").contains("revoked the key of observer 7"))
                // Whoever is in is shut out.
                #expect(try await one.status() == 1)
                #expect(try await member.ask("add lines after") == "added")
                try await other.line("after")
                #expect(!one.output.contains("after"))
                #expect(try await scene.mesh("actors", key: seven, expecting: 1).contains("unauthorized"))
                #expect(try await scene.mesh("actors", key: eight).contains("lines"))
            }
        }

        @Test("a driver that is shut out is told why, and its actors end")
        func revokedDriver() async throws {
            try await self.withKeys { scene, folder in
                let driver = try scene.start(
                    "MeshCommandFixture", environment: ["MESH_KEY_FILE": "\(folder)/driver.key"])
                try await driver.line("ready")
                #expect(try await driver.ask("spawn one").hasPrefix("spawned"))
                try await scene.mesh("revoke", "driver", "3")
                try await eventually("it is told") { try await driver.ask("actors").hasPrefix("error unauthorized") }
                try await eventually("its actor ends") { try await !scene.mesh("actors").contains("one") }
            }
        }

        @Test("keygen takes what is there only if it is what was asked for, also when several ask at once")
        func ifMissing() async throws {
            try await self.withKeys { scene, folder in
                let several = await withTaskGroup(of: Int32?.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            let child = try? scene.start("mesh", "keygen", "--if-missing", "\(folder)/shared.key")
                            return try? await child?.status()
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                #expect(several == [0, 0, 0, 0])
                try await scene.mesh(
                    "keygen", "--if-missing", "--role", "driver", "--number", "3", "\(folder)/driver.key")
                for other in [["--role", "observer"], ["--role", "driver", "--number", "4"], []] {
                    let output = try await scene.mesh(
                        ["keygen", "--if-missing"] + other + ["\(folder)/driver.key"], expecting: 1)
                    #expect(output.contains("the key") || output.contains("that of driver 3"))
                }
                #expect(try await scene.mesh("keygen", "--help").contains("(values: member, driver,"))
            }
        }
    }
}
