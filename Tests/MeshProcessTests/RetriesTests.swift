import ActorMesh
import FoundationEssentials
import Glibc
import MeshFixtures
import MeshTesting
import Testing

extension Processes {
    /// L4, C2, C4: calls across the deaths of an actor. A scribe writes what it runs into a file, which outlives it.
    @Suite("L4, C4: restarts and retries") struct L4CallsAcrossDeaths {
        private struct Scene: Sendable {
            let mesh: Mesh
            let scribe: Scribe
            let book: Book

            init(
                _ mesh: Mesh, retries: Limit, maxRestarts: Limit = .unlimited,
                backoff: Backoff = Backoff(initial: .milliseconds(10))
            ) async throws {
                self.mesh = mesh
                self.book = Book()
                self.scribe = try await mesh.spawn(
                    Scribe.self, .init(path: self.book.path),
                    options: .init(
                        name: "scribe", maxRestarts: maxRestarts, maxTaskRetries: retries, maxPendingCalls: 2000,
                        backoff: backoff))
            }

            func submit(_ numbers: Range<Int>) async throws -> [ObjectRef<UInt64>] {
                var refs: [ObjectRef<UInt64>] = []
                for number in numbers {
                    refs.append(try await self.mesh.submit { try await self.scribe.write("caller", number) })
                }
                return refs
            }

            /// The scribe's process of a life, which is killed.
            func kill(life: UInt64) async throws {
                let info = try #require(try await self.mesh.info("scribe"))
                #expect(info.incarnation == life)
                Glibc.kill(info.processID, SIGKILL)
            }
        }

        @Test("a thousand pipelined calls, two kill -9 in between: in order, none lost, none twice but the interrupted")
        func pipelined() async throws {
            try await withFixtures { mesh in
                let scene = try await Scene(mesh, retries: .unlimited)
                let refs = try await scene.submit(0..<1000)
                _ = try await refs[300].value
                try await scene.kill(life: 1)
                var lives = [try await refs[600].value]
                if let info = try await mesh.info("scribe"), info.state == .alive {
                    kill(info.processID, SIGKILL)
                }
                lives += try await mesh.get(refs)

                let lines = scene.book.lines
                let history = scene.book.history
                #expect(history.reordered == [], "order")
                #expect(history.lost(of: ["caller": 1000]) == [], "loss")
                // Each life runs its calls one after the other, and no later life runs what was answered before it.
                for life in Set(lines.map(\.life)) {
                    let numbers = lines.filter { $0.life == life }.map(\.number)
                    #expect(numbers == Array((numbers.first ?? 0)..<(numbers.first ?? 0) + numbers.count), "\(life)")
                }
                #expect(lines.map(\.life) == lines.map(\.life).sorted(), "an earlier life ran after a later one")
                for entry in history.duplicates { #expect(entry.number > 300, "answered, and run again: \(entry)") }
                #expect(try await scene.scribe.write("caller", 1000) == (try await mesh.info("scribe")?.incarnation))
            }
        }

        @Test("without retries what was interrupted fails as unavailable, nothing runs twice, and later calls wait")
        func noRetries() async throws {
            try await withFixtures { mesh in
                let scene = try await Scene(mesh, retries: 0)
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let early = try await scene.submit(0..<10)
                let held = try await mesh.submit { try await scene.scribe.writeAndHold("caller", 10, witness) }
                let behind = try await scene.submit(11..<50)
                // Answers that have not left when the process is killed are lost with it.
                for ref in early { #expect(try await ref.value == 1) }
                try await witness.wait(for: "held", count: 1)
                try await scene.kill(life: 1)
                #expect(await codeThrown { try await held.value } == .actorUnavailable)
                let late = try await scene.submit(50..<60)
                for ref in behind { #expect(await codeThrown { try await ref.value } == .actorUnavailable) }
                #expect(try await mesh.get(late) == Array(repeating: 2, count: 10))
                #expect(scene.book.history.duplicates == [])
                #expect(scene.book.history.reordered == [])
                #expect(scene.book.lines.map(\.number) == Array(0...10) + Array(50..<60))
            }
        }

        @Test(
            "a call that came while its actor was being restarted has used up no retry by waiting; a death while it runs does"
        )
        func waitingIsFree() async throws {
            try await withFixtures { mesh in
                // The first restart is at once, the second and third wait.
                let scene = try await Scene(
                    mesh, retries: 1, backoff: Backoff(initial: .milliseconds(500), maximum: .milliseconds(500)))
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                try await scene.kill(life: 1)
                try await poll {
                    try await mesh.info("scribe").map { $0.incarnation == 2 && $0.state == .alive } ?? false
                }
                #expect(try await scene.scribe.write("caller", 0) == 2)
                try await scene.kill(life: 2)
                try await poll { try await mesh.info("scribe")?.state == .restarting }
                // It waits for the third life, and is interrupted there; its one retry is still to come.
                let call = try await mesh.submit { try await scene.scribe.writeAndHold("caller", 1, witness) }
                try await witness.wait(for: "held", count: 1)
                try await scene.kill(life: 3)
                try await witness.wait(for: "held", count: 2)
                try await witness.reach("go")
                #expect(try await call.value == 4)
                #expect(scene.book.lines.map(\.life) == [2, 3, 4])
                #expect(scene.book.history.duplicates.map(\.number) == [1])
            }
        }

        @Test("a call whose retries are used up fails as unavailable, and the actor goes on")
        func oneRetry() async throws {
            try await withFixtures { mesh in
                let scene = try await Scene(mesh, retries: 1)
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let call = try await mesh.submit { try await scene.scribe.writeAndHold("caller", 0, witness) }
                for life in 1...2 {
                    try await witness.wait(for: "held", count: life)
                    try await scene.kill(life: UInt64(life))
                }
                #expect(await codeThrown { try await call.value } == .actorUnavailable)
                #expect(try await scene.scribe.write("caller", 1) == 3)
                #expect(scene.book.lines.map(\.life) == [1, 2, 3])
            }
        }

        @Test("children end with the life that made them, and the next life makes its own")
        func children() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let top = try await mesh.spawn(
                    Branch.self, .init("top", witness, shape: [1, 1]), options: .init(maxRestarts: 1, maxTaskRetries: 1)
                )
                let first = try #require(try await top.family().first)
                let processes = try await top.processes()
                kill(processes[0], SIGKILL)
                #expect(try await mesh.terminated(first).cause == .ownerDied)
                try await poll { !processes.contains(where: ProcessTable.isRunning) }
                #expect(try await top.life() == 2)
                let second = try #require(try await top.family().first)
                #expect(second.id != first.id)
                #expect(try await second.life() == 1)
                let named = try await mesh.find(Branch.self, named: "top.0.0")
                #expect(try await second.family().map(\.id) == [named.id])
            }
        }
    }
}

/// A file that scribes write, which is gone with this.
final class Book: Sendable {
    struct Line: Hashable, Sendable {
        var caller: String
        var number: Int
        var life: UInt64
    }

    let path = FileManager.default.temporaryDirectory.path + "/book-\(UUID().uuidString)"

    /// What they have written, in order.
    var lines: [Line] {
        let text = (try? String(contentsOfFile: self.path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: " ")
            guard parts.count == 3, let number = Int(parts[1]), let life = UInt64(parts[2]) else { return nil }
            return Line(caller: String(parts[0]), number: number, life: life)
        }
    }

    var history: History {
        var history = History()
        for line in self.lines { history.record(line.caller, line.number) }
        return history
    }

    deinit { unlink(self.path) }
}
