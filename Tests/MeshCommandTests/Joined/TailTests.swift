import Foundation
import Glibc
import Testing

extension Commands {
    /// Whoever reads logs gets what there is, or is told why not.
    @Suite("The tail of the logs", .serialized)
    struct TailTests {
        /// Without what is said on standard error, which is in the output too.
        private func records(_ text: String) throws -> [[String: Any]] {
            try text.split(separator: "\n").filter { $0.hasPrefix("{") }.compactMap {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
        }

        @Test("a reader that is too slow is told how many records it has missed")
        func slowReader() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker("--logs-size", "256KiB")
                _ = try await scene.node()
                let driver = try await scene.driver()
                _ = try await driver.ask("talker parrot")
                let tail = try scene.start("mesh", "logs", "--follow", "--tail", "10", "--format", "json")
                _ = try await driver.ask("log parrot first")
                try await tail.line("first")
                tail.signal(SIGSTOP)
                // Far more than is kept, and than is on its way to the reader.
                let count = 30_000
                _ = try await driver.ask("burst parrot lines=\(count)", limit: .seconds(60))
                try await eventually("all is collected") {
                    try await scene.mesh("logs", "--tail", "1").contains("burst \(count)")
                }
                tail.signal(SIGCONT)
                try await tail.line("\"burst \(count)\"", limit: .seconds(60))
                let records = try self.records(tail.output)
                let bursts = records.compactMap {
                    ($0["text"] as? String).flatMap { Int($0.dropFirst("burst ".count)) }
                }
                let dropped = records.compactMap { $0["dropped"] as? Int }.reduce(0, +)
                #expect(dropped > 0)
                #expect(bursts.count + dropped == count)
                let gap = try #require(records.first { $0["kind"] as? String == "gap" })
                #expect((gap["text"] as? String)?.contains("are missing") == true)
            }
        }

        @Test("a tail with an end ends, now or later")
        func ends() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let past = try scene.start("mesh", "logs", "--follow", "--until", "1m")
                #expect(try await past.status() == 0)
                let soon = Date(timeIntervalSinceNow: 1).formatted(.iso8601)
                let future = try scene.start("mesh", "logs", "--follow", "--until", soon)
                #expect(try await future.status() == 0)
            }
        }

        @Test("a tail says what it waits for while the broker is away, and that it goes on")
        func waits() async throws {
            try await Scene.run { scene in
                let broker = try await scene.broker()
                _ = try await scene.node()
                let driver = try await scene.driver()
                let tail = try scene.start("mesh", "logs", "--follow", "--tail", "100")
                _ = try await driver.ask("murmur before")
                try await tail.line("logged before")
                broker.signal(SIGKILL)
                try await broker.status()
                try await tail.line("mesh: waiting: ")
                _ = try await scene.broker(at: scene.mesh)
                try await tail.line("mesh: following again")
            }
        }

        @Test(
            "a process that leaves in the middle of a call, even well, is told of as one that crashed; an actor's exit is not"
        )
        func leaves() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let driver = try await scene.driver()
                _ = try await driver.ask("talker veteran")
                _ = try await driver.ask("retire veteran")
                _ = try await driver.ask("talker parrot")
                _ = try await driver.ask("leave parrot")
                try await eventually("it is told") {
                    try await scene.mesh("logs", "--level", "critical", "--actor", "parrot").contains(
                        "exited with status 0")
                }
                #expect(try await scene.mesh("logs", "--level", "critical", "--actor", "veteran").isEmpty)
            }
        }

        @Test("a task has one name in all that is said in it, also beside it, and its lines begin with that")
        func names() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let driver = try await scene.driver()
                _ = try await driver.ask("aside 7")
                for name in ["Aside<Int>", "MeshCommandFixture.Aside*", "Aside*"] {
                    try await eventually("\(name) finds it all") {
                        let found = try await scene.mesh("logs", "--task", name)
                        return ["printed aside 7", "logged aside 7", "logged 7"].allSatisfy { found.contains($0) }
                    }
                }
                let records = try self.records(try await scene.mesh("logs", "--format", "json"))
                #expect(Set(records.map { $0["task"] as? String }) == ["MeshCommandFixture.Aside<Swift.Int>"])
                #expect(Set(records.map { $0["driver"] as? String }).count == 1)
                let lines = try await scene.mesh("logs").split(separator: "\n")
                #expect(lines.allSatisfy { $0.hasPrefix("alpha/Aside<Int>#") })
            }
        }

        @Test("an actor is found as its lines begin")
        func byOrigin() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let driver = try await scene.driver()
                _ = try await driver.ask("talker parrot")
                _ = try await driver.ask("talker cockatoo")
                _ = try await driver.ask("say parrot hello")
                try await eventually("it is collected") { try await scene.mesh("logs").contains("hello") }
                let origin = try #require(try await scene.mesh("logs").split(separator: " ").first.map(String.init))
                let digits = try #require(origin.split(separator: "#").last)
                for choice in [origin, String(origin.dropFirst("alpha/".count)), "#\(digits)", "\(digits)*"] {
                    #expect(try await scene.mesh("logs", "--actor", choice).contains("hello"), "\(choice)")
                }
                #expect(try await scene.mesh("logs", "--actor", "Tally#\(digits)").isEmpty)
            }
        }

        @Test("tasks that find no worker are counted as waiting")
        func waiting() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                let node = try scene.start("MeshCommandFixture", "node", "--name", "alpha", "--cpus", "2")
                try await node.line("has joined")
                let driver = try await scene.driver()
                _ = try await driver.ask("collect news")
                #expect(try await driver.ask("crowd news of=7") == "a crowd")
                try await eventually("five wait") {
                    try await scene.mesh("status").contains("2 running, 5 waiting")
                }
            }
        }
    }
}
