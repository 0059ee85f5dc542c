import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes {
    /// What workers write comes out of the program that they belong to.
    @Suite struct WorkersWrite {
        @Test("what an actor wrote before its process died in any way is there, and in order")
        func lastWords() async throws {
            let program = try FixtureProgram("noise")
            async let errors = program.errors.lines()
            for end in Noisy.End.allCases { #expect(await program.line() == "said before \(end)") }
            #expect(await program.line() == nil)
            let complaints = await errors.filter {
                $0.hasPrefix("complained") || $0.hasSuffix("Fatal error: on purpose")
            }
            #expect(complaints.count == 4)
            #expect(
                complaints.filter { $0.hasPrefix("complained") } == Noisy.End.allCases.map { "complained before \($0)" }
            )
            #expect(await program.wait() == 0)
        }

        @Test("the lines of two actors do not mix, whatever pieces they are written in")
        func wholeLines() async throws {
            let program = try FixtureProgram("chatter")
            var count: [Character: Int] = [:]
            while let line = await program.line() {
                let letter = try #require(line.first)
                #expect(line.utf8.count == 3000 && line.allSatisfy { $0 == letter })
                count[letter, default: 0] += 1
            }
            #expect(count == ["a": 300, "b": 300])
            #expect(await program.wait() == 0)
        }

        @Test("when nobody reads standard output, actors that write wait, and all others answer")
        func blocked() async throws {
            let program = try FixtureProgram("drown")
            #expect(await program.errors.line(after: "answered") == "answered 102")
            // Nothing was lost while nobody read.
            var lines = 0
            var last: [String] = []
            while let line = await program.line() {
                if line == String(repeating: "x", count: 3000) { lines += 1 } else { last.append(line) }
            }
            #expect(lines == 1000)
            #expect(last == ["last words"])
            #expect(await program.wait() == 0)
        }

        @Test("when standard output is closed, actors go on that write to it")
        func closed() async throws {
            let program = try FixtureProgram("drown")
            program.closeOutput()
            #expect(await program.errors.line(after: "answered") == "answered 102")
            #expect(await program.wait() == 0)
        }

        @Test("an actor has the memory that it asked for; far beyond that its process ends", arguments: [8, 32, 256])
        func memory(mebibytes: Int) async throws {
            let program = try FixtureProgram("eat", "\(mebibytes)")
            async let errors = program.errors.lines()
            #expect(await program.line() == "has \(mebibytes)")
            #expect(await program.line() == "actorDied")
            #expect(await errors.contains { $0.hasPrefix("Fatal error: failed to allocate ") })
            #expect(await program.wait() == 0)
        }
    }
}
