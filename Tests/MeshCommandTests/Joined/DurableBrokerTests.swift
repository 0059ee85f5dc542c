import Foundation
import Glibc
import Testing

extension Commands {
    /// B1, B2, L3 with processes of their own: a broker with a store, a node, drivers.
    @Suite("B2, L3: a broker with a store", .serialized)
    struct DurableBrokerTests {
        private func withStore(_ body: (Scene, _ file: String) async throws -> Void) async throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "mesh-durable-\(UUID())").path()
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try await Scene.run { scene in try await body(scene, "\(folder)/registry.sqlite") }
        }

        private func processID(_ answer: String) throws -> Int32 {
            try #require(Int32(answer.split(separator: " ").last ?? ""))
        }

        @Test("kill -9: names resolve, detached actors live on without their driver, calls go on meanwhile")
        func killed() async throws {
            try await self.withStore { scene, file in
                let broker = try await scene.broker(storing: file)
                _ = try await scene.node()
                let (one, two) = (try await scene.driver(), try await scene.driver())
                #expect(try await one.ask("spawn one").hasPrefix("spawned"))
                #expect(try await one.ask("spawn kept detached").hasPrefix("spawned"))
                #expect(try await one.ask("spawn ended detached").hasPrefix("spawned"))
                #expect(try await two.ask("find one") == "found one")
                #expect(try await two.ask("kill ended") == "killed ended")
                broker.signal(SIGKILL)
                try await broker.status()
                #expect(try await one.ask("call one") == "one is 1")
                #expect(try await two.ask("call one") == "one is 2")
                _ = try await scene.broker(at: scene.mesh, storing: file)
                try await eventually("both join again") { try await two.ask("find one") == "found one" }
                #expect(try await two.ask("call one") == "one is 3")
                try await eventually("all are there") { try await one.ask("actors") == "actors kept one" }
                #expect(try await two.ask("find ended").hasPrefix("error actorNotFound"))
                one.closeInput()
                #expect(try await one.status() == 0)
                try await eventually("what the driver owned ends, and no more") {
                    try await two.ask("actors") == "actors kept"
                }
                #expect(try await two.ask("find kept") == "found kept")
                #expect(try await two.ask("call kept") == "kept is 1")
            }
        }

        @Test("kill -9: placement groups are where they were, with what is in them, and can be used and removed")
        func groups() async throws {
            try await self.withStore { scene, file in
                let broker = try await scene.broker(storing: file)
                _ = try await scene.node()
                let driver = try await scene.driver()
                #expect(try await driver.ask("group pair") == "group pair has 2")
                #expect(try await driver.ask("used") == "used [0.75]")
                broker.signal(SIGKILL)
                try await broker.status()
                _ = try await scene.broker(at: scene.mesh, storing: file)
                try await eventually("the node is back") { try await driver.ask("used") == "used [0.75]" }
                #expect(try await driver.ask("join pair") == "joined pair")
                #expect(try await driver.ask("used") == "used [0.75]")
                #expect(try await driver.ask("disband pair") == "disbanded pair")
                #expect(try await driver.ask("used") == "used [0.0]")
                #expect(try await driver.ask("join pair").hasPrefix("error actorNotFound"))
            }
        }

        @Test("kill -9 again and again under load: what was acknowledged is there, what was killed is not")
        func underLoad() async throws {
            try await self.withStore { scene, file in
                var broker = try await scene.broker(storing: file)
                _ = try await scene.node()
                let driver = try await scene.driver()
                var (living, ended, unknown) = (Set<String>(), Set<String>(), Set<String>())
                for round in 0..<3 {
                    // The broker is killed when so much has been acknowledged, while more is under way.
                    try driver.send("churn \(round)")
                    for count in 0... {
                        let answer = try await driver.line("")
                        if answer == "churned" { break }
                        Self.note(answer, &living, &ended, &unknown)
                        if count == 20 + 7 * round { broker.signal(SIGKILL) }
                    }
                    try await broker.status()
                    broker = try await scene.broker(at: scene.mesh, storing: file)
                    let expected = living
                    try await eventually("everybody is there") {
                        let actors = Set(
                            try await driver.ask("alive").split(separator: " ").dropFirst().map(String.init))
                        return actors.subtracting(unknown) == expected.subtracting(unknown)
                    }
                    for name in expected.subtracting(unknown).sorted() {
                        #expect(try await driver.ask("find \(name)") == "found \(name)")
                        #expect(try await driver.ask("call \(name)").hasPrefix("\(name) is "))
                    }
                    for name in ended.subtracting(unknown).sorted() {
                        #expect(try await driver.ask("find \(name)").hasPrefix("error actorNotFound"))
                    }
                }
                #expect(!living.isEmpty && !ended.isEmpty)
            }
        }

        private static func note(
            _ answer: String, _ living: inout Set<String>, _ ended: inout Set<String>, _ unknown: inout Set<String>
        ) {
            let words = answer.split(separator: " ").map(String.init)
            switch words.first {
            case "lives": living.insert(words[1])
            case "ends":
                living.remove(words[1])
                ended.insert(words[1])
            case "unsure": unknown.insert(words[1])
            default: Issue.record("\(answer)")
            }
        }

        @Test("restarts are counted on, and an actor whose process died while the broker was away is started again")
        func restarts() async throws {
            try await self.withStore { scene, file in
                let broker = try await scene.broker(storing: file)
                _ = try await scene.node()
                let driver = try await scene.driver()
                let first = try self.processID(try await driver.ask("spawn one detached restarts=2"))
                kill(first, SIGKILL)
                try await eventually("its second life") {
                    try await driver.ask("state one") == "state alive 2 restarts 1"
                }
                let second = try self.processID(try await driver.ask("process one"))
                broker.signal(SIGKILL)
                try await broker.status()
                kill(second, SIGKILL)
                try await ended(second)
                _ = try await scene.broker(at: scene.mesh, storing: file)
                try await eventually("its third life") {
                    try await driver.ask("state one") == "state alive 3 restarts 2"
                }
                kill(try self.processID(try await driver.ask("process one")), SIGKILL)
                try await eventually("its end") { try await driver.ask("find one").hasPrefix("error actorNotFound") }
            }
        }

        @Test("actors of a node that does not come back are lost with it, and their names are free")
        func nodeStaysAway() async throws {
            try await self.withStore { scene, file in
                let broker = try await scene.broker(storing: file)
                let node = try await scene.node()
                let driver = try await scene.driver()
                #expect(try await driver.ask("spawn one detached").hasPrefix("spawned"))
                #expect(try await driver.ask("spawn again detached restarts=1").hasPrefix("spawned"))
                broker.signal(SIGKILL)
                node.signal(SIGKILL)
                try await broker.status()
                try await node.status()
                _ = try await scene.broker(at: scene.mesh, storing: file)
                _ = try await scene.node("beta")
                try await eventually("the one ends") {
                    try await driver.ask("find one").hasPrefix("error actorNotFound")
                }
                try await eventually("the other lives again") {
                    try await driver.ask("state again") == "state alive 2 restarts 1"
                }
                #expect(try await driver.ask("spawn one detached").hasPrefix("spawned"))
            }
        }

        @Test("a second broker for the same file ends with an error that names it")
        func locked() async throws {
            try await self.withStore { scene, file in
                _ = try await scene.broker(storing: file)
                let output = try await scene.mesh(
                    "broker", "--no-dashboard", "--bind", "tcp://127.0.0.1:*", "--store", file, expecting: 1)
                #expect(output.contains(file) && output.contains("in use by another broker"), "\(output)")
            }
        }

        @Test("a disk without room: a spawn fails and leaves nothing, and succeeds when there is room again")
        func full() async throws {
            try await self.withStore { scene, file in
                let broker = try await scene.broker(storing: file)
                _ = try await scene.node()
                let driver = try await scene.driver()
                #expect(try await driver.ask("spawn one detached").hasPrefix("spawned"))
                try limitFileSize(of: broker.processID, to: 4096)
                let answer = try await driver.ask("spawn two detached")
                #expect(answer.hasPrefix("error systemFailure") && answer.contains(file), "\(answer)")
                #expect(try await driver.ask("find two").hasPrefix("error actorNotFound"))
                #expect(try await driver.ask("find one") == "found one")
                #expect(try await driver.ask("call one") == "one is 1")
                try limitFileSize(of: broker.processID, to: nil)
                #expect(try await driver.ask("spawn two detached").hasPrefix("spawned"))
                broker.signal(SIGKILL)
                try await broker.status()
                _ = try await scene.broker(at: scene.mesh, storing: file)
                try await eventually("both are there") { try await driver.ask("actors") == "actors one two" }
            }
        }
    }
}

/// Lets no file of a process grow beyond a number of bytes, as a disk without room does; nil: as large as it likes.
private func limitFileSize(of process: Int32, to bytes: UInt64?) throws {
    let command = Process()
    command.executableURL = URL(fileURLWithPath: "/usr/bin/prlimit")
    command.arguments = ["--pid", "\(process)", "--fsize=\(bytes.map(String.init) ?? "unlimited"):"]
    try command.run()
    command.waitUntilExit()
    #expect(command.terminationStatus == 0)
}
