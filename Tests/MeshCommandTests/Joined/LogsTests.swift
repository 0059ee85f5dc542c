import Foundation
import Glibc
import Testing

extension Commands {
    @Suite("The logs of a mesh", .serialized)
    struct LogsTests {
        @Test("what a worker prints, complains of and logs, and a message, come out of `mesh logs --follow`")
        func follow() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let driver = try await scene.driver()
                let tail = try scene.start("mesh", "logs", "--follow", "--tail", "100")
                _ = try await driver.ask("talker parrot")
                _ = try await driver.ask("collect news")
                _ = try await driver.ask("say parrot hello")
                try await tail.line(" │ hello")
                _ = try await driver.ask("complain parrot ouch")
                try await tail.line(" │ ouch")
                _ = try await driver.ask("log parrot careful")
                try await tail.line(" │ warning: careful length=7")
                _ = try await driver.ask("murmur softly")
                // What is printed and what is logged go different ways.
                try await eventually("both come") {
                    tail.output.contains(" │ printed softly") && tail.output.contains(" │ info: logged softly")
                }
                _ = try await driver.ask("add news it rains")
                try await tail.line("it rains")
            }
        }

        @Test("`--level`, `--grep`, `--since` and `--until` leave out what they say")
        func filters() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let driver = try await scene.driver()
                _ = try await driver.ask("talker parrot")
                _ = try await driver.ask("say parrot plain")
                _ = try await driver.ask("log parrot careful")
                try await eventually("both are collected") {
                    let all = try await scene.mesh("logs")
                    return all.contains(" │ plain") && all.contains("careful")
                }
                let warnings = try await scene.mesh("logs", "--level", "warning")
                #expect(warnings.contains("careful") && !warnings.contains("plain"))
                let found = try await scene.mesh("logs", "--grep", "lai")
                #expect(found.contains("plain") && !found.contains("careful"))
                #expect(try await scene.mesh("logs", "--grep", "LAI").isEmpty)
                #expect(try await scene.mesh("logs", "--since", "1h", "--actor", "parrot").contains("plain"))
                #expect(try await scene.mesh("logs", "--until", "1h").isEmpty)
                #expect(try await scene.mesh("logs", "--since", "2999-01-01T00:00:00Z").isEmpty)
                #expect(try await scene.mesh("logs", "--level", "loud", expecting: 64).contains("--level takes"))
                #expect(try await scene.mesh("logs", "--since", "soon", expecting: 64).contains("--since takes"))
            }
        }

        @Test("a crash is a record with its signal, and the actor's next life is told from it")
        func crash() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let driver = try await scene.driver()
                _ = try await driver.ask("talker parrot")
                _ = try await driver.ask("crash parrot")
                var record: [String: Any] = [:]
                try await eventually("the crash is collected") {
                    let lines = try await scene.mesh(
                        "logs", "--format", "json", "--level", "critical", "--actor", "parrot")
                    record =
                        try lines.split(separator: "\n").compactMap {
                            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
                        }.first { $0["kind"] as? String == "crash" } ?? [:]
                    return !record.isEmpty
                }
                let signal = (record["metadata"] as? [String: String])?["signal"].flatMap { Int32($0) }
                #expect(signal == SIGILL || signal == SIGTRAP)
                #expect((record["text"] as? String)?.contains("on purpose") == true)
                #expect((record["actor"] as? [String: Any])?["incarnation"] as? Int == 1)
            }
        }

        @Test("a task that logs without end keeps nobody else's records from coming")
        func storm() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let driver = try await scene.driver()
                let tail = try scene.start("mesh", "logs", "--follow", "--actor", "parrot")
                _ = try await driver.ask("talker parrot")
                #expect(try await driver.ask("storm") == "it storms")
                try await eventually("the storm is there") {
                    try await scene.mesh("logs", "--grep", "storm", "--tail", "1").contains("storm")
                }
                // It goes on until the test ends.
                for number in 1...5 {
                    #expect(try await driver.ask("log parrot calm-\(number)") == "logged")
                    try await tail.line("calm-\(number)")
                }
            }
        }

        @Test("a tail goes on when a broker that keeps its logs in memory was killed and started again")
        func brokerInMemory() async throws {
            try await Scene.run { scene in
                let broker = try await scene.broker()
                _ = try await scene.node()
                let tail = try scene.start("mesh", "logs", "--follow", "--tail", "100")
                let driver = try await scene.driver()
                _ = try await driver.ask("murmur before")
                try await eventually("the tail has it") { tail.output.contains("logged before") }
                broker.signal(SIGKILL)
                try await broker.status()
                _ = try await scene.broker(at: scene.mesh)
                try await eventually("the node is back") { try await scene.mesh("nodes").contains("alpha") }
                let next = try await scene.driver()
                _ = try await next.ask("murmur after")
                try await eventually("the tail has that too") { tail.output.contains("logged after") }
                // What the new broker was given again did not come twice.
                #expect(tail.output.components(separatedBy: "logged before").count == 2)
            }
        }

        @Test("a driver shows what is said on its behalf, also by what its tasks submit, and nothing of others")
        func ownWorkers() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let driver = try await scene.driver(showing: "prefixed")
                let other = try await scene.driver(showing: "plain")
                let silent = try await scene.driver()
                for (child, name) in [(driver, "mine"), (other, "theirs"), (silent, "unseen")] {
                    try child.send("murmur \(name)")
                    try child.send("delegate \(name)-deep")
                }
                for text in ["printed mine", "logged mine", "printed mine-deep", "logged mine-deep"] {
                    try await eventually("\(text) is shown") { driver.output.contains(text) }
                }
                #expect(driver.output.contains(" │ printed mine"))
                try await eventually("lines are shown as they are") { other.output.contains("printed theirs-deep") }
                #expect(!other.output.contains(" │ printed"))
                try await eventually("the last has had its answers") { silent.output.contains("delegated") }
                try await eventually("all is collected") { try await scene.mesh("logs").contains("logged unseen-deep") }
                #expect(!driver.output.contains("theirs") && !driver.output.contains("unseen"))
                #expect(!silent.output.contains("printed"))
            }
        }
        @Test("a driver that ends at once has shown the last line that was printed for it")
        func lastLine() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                for number in 1...10 {
                    let driver = try await scene.driver(showing: "prefixed")
                    try driver.send("chatter last-\(number)")
                    try driver.send("exit")
                    #expect(try await driver.status() == 0)
                    #expect(driver.output.contains("printed last-\(number)"))
                    #expect(driver.output.contains("logged last-\(number)"))
                }
            }
        }
    }
}
