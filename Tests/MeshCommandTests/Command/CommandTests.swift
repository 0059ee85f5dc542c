import Foundation
import Testing

extension Commands {
    @Suite("The mesh command", .serialized)
    struct CommandTests {
        private func objects(_ json: String) throws -> [[String: Any]] {
            try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
        }

        @Test("actors and nodes are listed as a table and as JSON")
        func lists() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                #expect(try await scene.mesh("nodes").contains("This mesh has no nodes"))
                #expect(try await scene.mesh("actors", "--format", "json").filter { !$0.isWhitespace } == "[]")
                let node = try await scene.node("alpha")
                let driver = try await scene.driver()
                _ = try await driver.ask("spawn one")
                let table = try await scene.mesh("actors").split(separator: "\n")
                #expect(table.first?.hasPrefix("NAME  TYPE") == true)
                #expect(table.last?.hasPrefix("one   MeshCommandFixture.Tally  alive  alpha") == true)
                let actors = try self.objects(try await scene.mesh("actors", "--format", "json"))
                #expect(actors.first?["name"] as? String == "one")
                #expect((actors.first?["id"] as? String)?.count == 32)
                let nodes = try self.objects(try await scene.mesh("nodes", "--format", "json"))
                #expect(nodes.first?["pid"] as? Int32 == node.processID)
                #expect(nodes.first?["programs"] as? [String] == ["MeshCommandFixture"])
                #expect(nodes.first?["actors"] as? Int == 1)
            }
        }

        @Test("kill ends an actor by its name or its ID, and fails when there is none")
        func kill() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let driver = try await scene.driver()
                _ = try await driver.ask("spawn one")
                #expect(try await scene.mesh("kill", "one").hasPrefix("killed Tally \"one\""))
                #expect(try await driver.ask("call one").hasPrefix("error actorDied"))
                #expect(try await scene.mesh("kill", "one", expecting: 1).contains("No actor is called \"one\""))
                #expect(try await driver.ask("spawn one").hasPrefix("spawned"))
                let actors = try self.objects(try await scene.mesh("actors", "--format", "json"))
                let id = try #require(actors.first?["id"] as? String)
                #expect(try await scene.mesh("kill", String(id.prefix(8))).hasPrefix("killed Tally \"one\""))
                #expect(try await driver.ask("actors") == "actors ")
            }
        }

        @Test("stop ends an actor in good order, and tree shows who spawned whom")
        func stopAndTree() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let driver = try await scene.driver()
                _ = try await driver.ask("spawn one")
                #expect(try await scene.mesh("tree").contains("Tally \"one\""))
                let stopped = try await scene.mesh("stop", "one", "--within", "10", "--timeout", "5")
                #expect(stopped.hasPrefix("stopped Tally \"one\""))
                #expect(try await driver.ask("call one").hasPrefix("error actorDied"))
                #expect(try await scene.mesh("stop", "one", expecting: 1).contains("No actor is called \"one\""))
                #expect(!(try await scene.mesh("tree").contains("Tally")))
            }
        }

        @Test("a process that is no broker is told from one that does not answer")
        func notABroker() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let nodes = try self.objects(try await scene.mesh("nodes", "--format", "json"))
                let endpoints = try #require(nodes.first?["endpoints"] as? [String])
                let endpoint = try #require(endpoints.first { $0.hasPrefix("tcp://") })
                #expect(try await scene.mesh("actors", "--mesh", endpoint, expecting: 69).contains("is not its broker"))
            }
        }

        @Test("messages of another program's actor are printed, followed, and the command ends with status 0 at SIGINT")
        func messages() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let driver = try await scene.driver()
                #expect(try await driver.ask("collect log") == "collecting log")
                #expect(try await driver.ask("add log first") == "added")
                #expect(try await scene.mesh("messages", "log").hasSuffix("│ first"))
                let line = try await scene.mesh("messages", "log", "--format", "json")
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                #expect(object?["text"] as? String == "first" && object?["sequence"] as? Int == 1)

                let follower = try scene.start("mesh", "messages", "log", "--follow")
                try await follower.line("first")
                #expect(try await driver.ask("add log second") == "added")
                try await follower.line("second")
                follower.signal(SIGINT)
                #expect(try await follower.status() == 0)

                let other = try scene.start("mesh", "messages", "log", "--follow", "--format", "json")
                try await other.line("\"text\":\"second\"")
                _ = try await scene.mesh("kill", "log")
                #expect(try await other.status() == 1)
                #expect(other.output.contains("actorDied"))
                #expect(try await scene.mesh("messages", "log", expecting: 1).contains("actorNotFound"))
            }
        }

        @Test(
            "a tail with --retry waits for the mesh and for the actor, goes on with the next of that name, and ends at SIGTERM"
        )
        func retryingTail() async throws {
            try await Scene.run { scene in
                let first = try await scene.broker()
                first.end()
                _ = try await first.status()
                let tail = try scene.start("mesh", "messages", "log", "--follow", "--retry", "--timeout", "1")
                try await tail.line("mesh: waiting: No broker answers")
                _ = try await scene.broker(at: scene.mesh)
                _ = try await scene.node()
                try await tail.line("mesh: waiting: No actor is called \"log\"")
                let driver = try await scene.driver()
                for word in ["first", "second"] {
                    #expect(try await driver.ask("collect log") == "collecting log")
                    #expect(try await driver.ask("add log \(word)") == "added")
                    try await tail.line("following \"log\"")
                    try await tail.line(word)
                    try await scene.mesh("kill", "log")
                }
                #expect(tail.output.components(separatedBy: "│ first").count == 2)
                tail.signal(SIGTERM)
                #expect(try await tail.status() == 0)
                #expect(try await scene.mesh("messages", "log", "--retry", expecting: 64).contains("--follow"))
            }
        }

        @Test("a node without a program holds the library's own actors, for every program")
        func libraryNode() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                let node = try scene.start("mesh", "node", "--name", "plain")
                try await node.line("node plain has joined")
                let driver = try await scene.driver()
                #expect(try await driver.ask("collect log") == "collecting log")
                #expect(try await driver.ask("add log hello") == "added")
                #expect(try await driver.ask("spawn one").hasPrefix("error typeNotFound"))
                #expect(try await scene.mesh("messages", "log").hasSuffix("│ hello"))
            }
        }

        @Test("a node runs the executable that it is given")
        func otherProgram() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                let path = Binaries.url("MeshCommandFixture").path
                let node = try scene.start("mesh", "node", "--program", path, "--cpus", "3")
                try await node.line("with program MeshCommandFixture")
                let driver = try await scene.driver()
                #expect(try await driver.ask("spawn one").hasPrefix("spawned"))
                #expect(try await driver.ask("squares 3") == "sum 14")
                #expect(try await scene.mesh("nodes").contains(" 0/3 "))
            }
        }

        @Test("nodes show what is used of what they have, and actors what they have and for what they wait")
        func resources() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                let node = try scene.start(
                    "mesh", "node", "--name", "alpha", "--program", Binaries.url("MeshCommandFixture").path, "--cpus",
                    "2",
                    "--gpus", "1", "--memory", "32GiB", "--resource", "license=3")
                try await node.line("has joined")
                let (driver, late) = (try await scene.driver(), try await scene.driver())
                #expect(try await driver.ask("spawn one cpus=2").hasPrefix("spawned"))
                async let second = late.ask("spawn two cpus=1")
                try await eventually("it is pending") { try await scene.mesh("actors").contains(" pending ") }
                let actors = try await scene.mesh("actors")
                #expect(actors.contains(" 2 cpus ") && actors.contains("1 cpu; alpha has 0 of 2 free"), "\(actors)")
                let nodes = try await scene.mesh("nodes")
                for text in [" 2/2 ", " 0/1 ", " 0/32 GiB ", " license=0/3 "] {
                    #expect(nodes.contains(text), "\(nodes)")
                }
                let data = Data(try await scene.mesh("nodes", "--format", "json").utf8)
                let rows = try #require(JSONSerialization.jsonObject(with: data) as? [[String: Any]])
                #expect(rows.first?["cpus"] as? Double == 2)
                #expect((rows.first?["used"] as? [String: Any])?["cpus"] as? Double == 2)
                #expect(try await driver.ask("kill one") == "killed one")
                #expect(try await second.hasPrefix("spawned two"))
            }
        }

        @Test("a worker program that is none of a mesh is told by the one who spawns")
        func wrongProgram() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                let link = FileManager.default.temporaryDirectory.appendingPathComponent("MeshCommandFixture")
                try? FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "/bin/false")
                defer { try? FileManager.default.removeItem(at: link) }
                let node = try scene.start("mesh", "node", "--program", link.path)
                try await node.line("has joined")
                let driver = try await scene.driver()
                let answer = try await driver.ask("spawn one")
                #expect(answer.contains("systemFailure") && answer.contains("exited with status 1 before it was ready"))
            }
        }

        @Test("a command line that makes no sense ends with status 64 and says what to do")
        func usage() async throws {
            try await Scene.run { scene in
                let mistakes: [([String], String)] = [
                    (["actors"], "Give --mesh tcp://HOST:PORT, or set MESH_ADDRESS"),
                    (["nodes", "--mesh", "localhost"], "tcp://10.0.0.7:4711"),
                    (["node", "--mesh", "tcp://h:1", "--program", "/nowhere"], "/nowhere cannot be run"),
                    (["node", "--mesh", "tcp://h:1", "--program", "/tmp"], "/tmp cannot be run"),
                    (["broker", "--bind", "4711"], "no address to bind"),
                    (["kill"], "Missing expected argument"),
                    (["bench", "--only", ""], "mesh bench --list"),
                    (["broker", "--store", ":memory:"], "--store takes the path of a file"),
                    (["node", "--mesh", "tcp://h:1", "--name", ""], "--name must not be empty"),
                    (["node", "--mesh", "tcp://h:1", "--memory", "32"], "such as 512MiB, 32GiB"),
                    (["node", "--mesh", "tcp://h:1", "--gpus", "1.5"], "--gpus takes a whole number"),
                    (["frobnicate"], "frobnicate"),
                ]
                for (arguments, advice) in mistakes {
                    let output = try await scene.mesh(arguments, expecting: 64)
                    #expect(output.contains(advice))
                }
                #expect(try await scene.mesh("--version") == "0.1.0")
                #expect(try await scene.mesh("messages", "--help").contains("mesh messages results --follow"))
            }
        }

        @Test("no answer within the time ends with status 69")
        func unavailable() async throws {
            try await Scene.run { scene in
                let broker = try await scene.broker()
                broker.signal(SIGTERM)
                try await broker.status()
                let output = try await scene.mesh("actors", "--timeout", "0.3", expecting: 69)
                #expect(output.contains("brokerUnavailable") && output.contains("mesh broker --bind"))
            }
        }

        @Test("a mesh program tells its help, its version and its mistakes")
        func program() async throws {
            try await Scene.run { scene in
                let help = try scene.start("MeshCommandFixture", "--help")
                #expect(try await help.status() == 0)
                #expect(help.output.hasPrefix("Obeys the lines of its standard input."))
                #expect(help.output.contains("MeshCommandFixture node --mesh ADDRESS"))
                let version = try scene.start("MeshCommandFixture", "--version")
                #expect(try await version.status() == 0)
                #expect(version.output == "MeshCommandFixture (ActorMesh 0.1.0)")
                let mistake = try scene.start("MeshCommandFixture", "node", "--bnd")
                #expect(try await mistake.status() == 64)
                let lost = try scene.start("MeshCommandFixture", "node")
                #expect(try await lost.status() == 64)
                #expect(lost.output.contains("MESH_ADDRESS"))
            }
        }
    }
}
