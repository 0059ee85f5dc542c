import Foundation
import Testing

extension Commands {
    @Suite("A mesh of separate processes", .serialized)
    struct JoinedMeshTests {
        @Test("a driver joins, spawns on the node, runs tasks, and its actors end when it leaves")
        func driverComesAndGoes() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                let node = try await scene.node()
                let driver = try await scene.driver()
                let spawned = try await driver.ask("spawn one")
                let worker = try #require(Int32(spawned.split(separator: " ").last ?? ""))
                #expect(children(of: node.processID).contains(worker))
                #expect(try await driver.ask("call one") == "one is 1")
                #expect(try await driver.ask("squares 20") == "sum 2870")
                #expect(try await driver.ask("spawn two detached").hasPrefix("spawned two"))
                driver.closeInput()
                #expect(try await driver.status() == 0)
                try await ended(worker)
                let after = try await scene.driver()
                try await eventually("the name is free") { try await after.ask("actors") == "actors two" }
                #expect(try await after.ask("find two") == "found two")
                #expect(try await after.ask("call two") == "two is 1")
                #expect(try await after.ask("squares 20") == "sum 2870")
            }
        }

        @Test("two drivers work side by side, and one's end does not touch the other")
        func twoDrivers() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let (one, two) = (try await scene.driver(), try await scene.driver())
                async let first = one.ask("spawn one")
                async let second = two.ask("spawn two")
                #expect(try await first.hasPrefix("spawned"))
                #expect(try await second.hasPrefix("spawned"))
                #expect(try await two.ask("find one") == "found one")
                #expect(try await two.ask("call one") == "one is 1")
                #expect(try await two.ask("spawn one").hasPrefix("error nameTaken"))
                one.signal(SIGKILL)
                try await eventually("the call fails") { try await two.ask("call one").hasPrefix("error actorDied") }
                #expect(try await two.ask("call two") == "two is 1")
                try await eventually("the name is free") { try await two.ask("actors") == "actors two" }
            }
        }

        @Test("a program that no node runs is told so, with those that are there")
        func unknownProgram() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                let empty = try await scene.driver()
                #expect(
                    try await empty.ask("spawn one").hasPrefix("error insufficientResources: The mesh has no nodes"))
                _ = try await scene.node()
                let stranger = try scene.start("quickstart")
                #expect(try await stranger.status() == 1)
                let output = stranger.output
                #expect(output.contains("typeNotFound") && output.contains("quickstart"))
                #expect(output.contains("MeshCommandFixture") && output.contains("node --mesh"))
            }
        }

        @Test("a broker that is not there is reported within the time, with what to do")
        func noBroker() async throws {
            try await Scene.run { scene in
                let broker = try await scene.broker()
                broker.signal(SIGTERM)
                #expect(try await broker.status(limit: .seconds(2)) == 0)
                let begin = ContinuousClock.now
                let driver = try scene.start("MeshCommandFixture")
                #expect(try await driver.status() == 69)
                #expect(driver.output.contains("brokerUnavailable") && driver.output.contains("mesh broker --bind"))
                #expect(ContinuousClock.now - begin < .seconds(8))
                let node = try scene.start("MeshCommandFixture", "node")
                #expect(try await node.status() == 69)
            }
        }

        @Test("an address that is taken cannot be bound, and the message says so")
        func boundTwice() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                let second = try scene.start("mesh", "broker", "--no-dashboard", "--bind", scene.mesh)
                #expect(try await second.status() == 1)
                #expect(second.output.contains("cannot be bound: Address already in use"))
                #expect(second.output.contains(scene.mesh))
            }
        }

        @Test("when a node is killed its workers end, calls fail at once, and the broker forgets its actors and names")
        func nodeKilled() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                let node = try await scene.node()
                let driver = try await scene.driver()
                #expect(try await driver.ask("spawn one").hasPrefix("spawned"))
                let workers = children(of: node.processID)
                #expect(!workers.isEmpty)
                node.signal(SIGKILL)
                for worker in workers { try await ended(worker) }
                let begin = ContinuousClock.now
                #expect(try await driver.ask("call one").hasPrefix("error actorDied"))
                #expect(ContinuousClock.now - begin < .seconds(1))
                try await eventually("the broker forgets") { try await driver.ask("actors") == "actors " }
                #expect(try await driver.ask("nodes") == "nodes ")
                _ = try await scene.node("beta")
                #expect(try await driver.ask("spawn one").hasPrefix("spawned"))
            }
        }

        @Test("a node and a broker that are told to end do so in good order, with status 0")
        func told() async throws {
            try await Scene.run { scene in
                let broker = try await scene.broker()
                let node = try await scene.node()
                let driver = try await scene.driver()
                #expect(try await driver.ask("spawn one").hasPrefix("spawned"))
                let workers = children(of: node.processID)
                node.signal(SIGTERM)
                #expect(try await node.status(limit: .seconds(2)) == 0)
                for worker in workers { try await ended(worker) }
                #expect(try await driver.ask("call one").hasPrefix("error actorDied"))
                broker.signal(SIGINT)
                let status = try await broker.status(limit: .seconds(2))
                #expect(status == 0, "\(broker.output)")
            }
        }

        @Test("a driver that is killed takes its actors and its running tasks with it")
        func driverKilled() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                let node = try await scene.node()
                let driver = try await scene.driver()
                #expect(try await driver.ask("spawn one").hasPrefix("spawned"))
                #expect(try await driver.ask("collect log") == "collecting log")
                let running = try await driver.ask("endless log")
                let task = try #require(Int32(running.split(separator: " ").last ?? ""))
                driver.signal(SIGKILL)
                try await ended(task)
                let after = try await scene.driver()
                try await eventually("its actors end") { try await after.ask("actors") == "actors " }
                #expect(try await after.ask("squares 4") == "sum 30")
                #expect(node.isRunning)
            }
        }
    }
}
