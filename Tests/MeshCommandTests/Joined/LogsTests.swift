import Foundation
import Testing

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
}
