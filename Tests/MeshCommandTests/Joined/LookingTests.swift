import Foundation
import Testing

extension Commands {
    /// `mesh why`, `mesh status` and `mesh top` on a mesh of separate processes.
    @Suite("Looking at a mesh", .serialized)
    struct LookingTests {
        @Test("why says what an actor is and how it ended, of one that is there and of one that is gone")
        func why() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let driver = try await scene.driver()
                _ = try await driver.ask("spawn one")
                for count in 1...3 { #expect(try await driver.ask("call one") == "one is \(count)") }

                let why = try scene.start("mesh", "why", "one")
                #expect(try await why.status() == 0)
                #expect(why.output.contains("Tally \"one\" ("))
                #expect(why.output.contains("It is well, and has nothing to do."))
                // The driver asks for the process first, which is a call as well.
                #expect(why.output.contains("4 in this life, 0 failed"))

                _ = try await driver.ask("kill one")
                let after = try scene.start("mesh", "why", "one", "--format", "json")
                #expect(try await after.status() == 0)
                let json = try #require(
                    try JSONSerialization.jsonObject(with: Data(after.output.utf8)) as? [String: Any], "\(after.output)"
                )
                #expect((json["termination"] as? [String: Any])?["cause"] as? String == "killed")

                let nobody = try scene.start("mesh", "why", "nobody")
                #expect(try await nobody.status() == 1)
                #expect(nobody.output.contains("No actor is called \"nobody\""))
            }
        }

        @Test("status counts what there is")
        func status() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let driver = try await scene.driver()
                _ = try await driver.ask("spawn one")
                _ = try await driver.ask("spawn two shared")
                let status = try scene.start("mesh", "status", "--format", "json")
                #expect(try await status.status() == 0)
                let json = try #require(
                    try JSONSerialization.jsonObject(with: Data(status.output.utf8)) as? [String: Any],
                    "\(status.output)")
                #expect((json["actors"] as? [String: Int])?["alive"] == 2)
                #expect(json["nodes"] as? Int == 1)
                #expect((json["silent"] as? [String])?.isEmpty == true)
                #expect((json["processes"] as? Int ?? 0) >= 4)
                let text = try scene.start("mesh", "status")
                #expect(try await text.status() == 0)
                #expect(text.output.contains("2 alive"))
            }
        }

        @Test("top prints tables into a pipe, and draws one picture over the other on a terminal")
        func top() async throws {
            try await Scene.run { scene in
                _ = try await scene.broker()
                _ = try await scene.node()
                let driver = try await scene.driver()
                _ = try await driver.ask("spawn one")
                let piped = try scene.start("mesh", "top", "--count", "2", "--interval", "0.1")
                #expect(try await piped.status() == 0)
                #expect(piped.output.components(separatedBy: "CALLS/S").count == 3)
                #expect(piped.output.contains("Tally \"one\""))
                #expect(!piped.output.contains("\u{1b}"))

                // What `script` runs has a terminal of its own.
                let command = "'\(Binaries.url("mesh").path)' top --count 2 --interval 0.1"
                let drawn = try scene.start(
                    at: URL(filePath: "/usr/bin/script"), "-qec", "stty rows 10 cols 100; \(command)", "/dev/null",
                    environment: ["TERM": "xterm"])
                #expect(try await drawn.status() == 0)
                #expect(drawn.output.components(separatedBy: "\u{1b}[H").count == 3)
                #expect(drawn.output.contains("Tally \"one\""))

                let endless = try scene.start("mesh", "top", "--interval", "0.1")
                try await endless.line("CALLS/S")
                endless.signal(SIGINT)
                #expect(try await endless.status() == 0)
            }
        }
    }
}
