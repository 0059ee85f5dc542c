import ActorMesh
import FoundationEssentials
import Glibc
import MeshFixtures
import MeshTesting
import Synchronization
import Testing

extension Processes {
    /// A persistent actor whose process dies has, when it lives again, what it had answered for.
    @Suite struct Persistence {
        init() { _ = stateDirectory }

        @Test("killed at any instant, it has the state after some call, with all that were answered", arguments: 1...3)
        func killed(seed: UInt64) async throws {
            try await withFixtures { mesh in
                var random = SeededGenerator(seed: seed)
                let key = "killed-\(UniqueID.make())"
                let callers = ["one", "two", "three"]
                var marks: [String: Tally.Mark] = [:]
                for round in 1...8 {
                    let tally = try await mesh.spawn(Tally.self, .init(key: key))
                    let process = try await tally.processID()
                    let enough = Int.random(in: 1...40, using: &random)
                    let delay = Int.random(in: 0...3000, using: &random)
                    let answers = Answers(marks.mapValues(\.last))
                    try await withThrowingTaskGroup { group in
                        for caller in callers {
                            let first = (marks[caller]?.last ?? 0) + 1
                            group.addTask {
                                try await Self.count(mesh, tally, as: caller, from: first, answers, killAfter: enough) {
                                    for _ in 0..<delay { await Task.yield() }
                                    kill(process, SIGKILL)
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                    let next = try await mesh.spawn(Tally.self, .init(key: key))
                    marks = try await next.marks()
                    for caller in callers {
                        let mark = marks[caller] ?? Tally.Mark()
                        let answered = answers.last(of: caller)
                        let place: Comment = "seed \(seed), round \(round), caller \(caller)"
                        #expect(mark.last >= answered, place)
                        #expect(mark.last == mark.count, place)
                    }
                    #expect(try await next.count() == marks.values.reduce(0) { $0 + $1.count })
                    try await mesh.kill(next)
                }
            }
        }

        /// Counts on and on, several calls at a time, until the actor is gone. The one who has enough answers kills it.
        private static func count(
            _ mesh: Mesh, _ tally: Tally, as caller: String, from first: Int, _ answers: Answers, killAfter enough: Int,
            _ end: () async -> Void
        ) async throws {
            var open: [(number: Int, ref: ObjectRef<Int>)] = []
            var number = first
            do {
                while true {
                    while open.count < 4 {
                        let mark = number
                        open.append((mark, try await mesh.submit { try await tally.mark(caller, mark) }))
                        number += 1
                    }
                    let oldest = open.removeFirst()
                    _ = try await oldest.ref.value
                    if answers.note(caller, oldest.number) == enough { await end() }
                }
            } catch let error as MeshError where error.code == .actorDied {
                for (number, ref) in open {
                    if (try? await ref.value) != nil { _ = answers.note(caller, number) }
                }
            }
        }

        @Test("killed again and again, with retries: every call has its effect once (C4)", arguments: 1...2)
        func restarted(seed: UInt64) async throws {
            try await withFixtures { mesh in
                var random = SeededGenerator(seed: seed)
                let options = ActorOptions(
                    maxRestarts: .unlimited, maxTaskRetries: .unlimited,
                    backoff: Backoff(initial: .zero, maximum: .zero))
                let tally = try await mesh.spawn(
                    Tally.self, .init(key: "restarted-\(UniqueID.make())"), options: options)
                var calls: [ObjectRef<Int>] = []
                var next = 1
                for _ in 1...5 {
                    let process = try await tally.processID()
                    let more = Int.random(in: 20...120, using: &random)
                    for number in next..<(next + more) {
                        calls.append(try await mesh.submit { try await tally.mark("caller", number) })
                    }
                    next += more
                    // Somewhere among those that are under way.
                    _ = try await calls[next - 1 - Int.random(in: 1...20, using: &random)].value
                    kill(process, SIGKILL)
                }
                // The answer of each call is the count that it has made, also where it was given by a later life.
                #expect(try await mesh.get(calls) == Array(1..<next), "seed \(seed)")
                #expect(try await tally.marks() == ["caller": Tally.Mark(last: next - 1, count: next - 1)])
            }
        }

        @Test("an actor that is frozen in the middle of its work loses its state to the next one, and is told so")
        func frozen() async throws {
            try await withFixtures { mesh in
                let key = "frozen-\(UniqueID.make())"
                let older = try await mesh.spawn(Tally.self, .init(key: key))
                let process = try await older.processID()
                var calls: [ObjectRef<Int>] = []
                for _ in 0..<50 { calls.append(try await mesh.submit { try await older.add(1) }) }
                _ = try await calls[3].value
                try await ProcessTable.freeze(process)
                // Whatever it was doing keeps nobody from taking over.
                let newer = try await mesh.spawn(Tally.self, .init(key: key))
                let count = try await newer.add(1)
                kill(process, SIGCONT)
                var answered = 0
                for call in calls {
                    do {
                        answered = max(answered, try await call.value)
                    } catch let error as MeshError {
                        #expect(error.code == .actorDied)
                    }
                }
                #expect(answered < count, "every answered call is in the state that was taken over")
                #expect(await codeThrown { try await older.add(1) } == .actorDied)
                #expect(try await newer.count() == count)
                #expect(try await newer.add(1) == count + 1)
            }
        }

        @Test("the name is the key of an actor that gives none, also across meshes")
        func named() async throws {
            let name = "named-\(UniqueID.make())"
            for expected in 1...2 {
                try await withFixtures { mesh in
                    let tally = try await mesh.spawn(Tally.self, .init(), options: .init(name: name))
                    #expect(try await tally.add(1) == expected)
                }
            }
        }
    }
}

/// What was answered to whom.
private final class Answers: Sendable {
    private let state: Mutex<(last: [String: Int], count: Int)>

    init(_ last: [String: Int]) { self.state = Mutex((last, 0)) }

    /// Notes an answer. Returns how many there are.
    func note(_ caller: String, _ number: Int) -> Int {
        self.state.withLock { state in
            state.last[caller] = number
            state.count += 1
            return state.count
        }
    }

    func last(of caller: String) -> Int { self.state.withLock { $0.last[caller] ?? 0 } }
}

/// A folder for the states of this run, which workers learn of by their environment. Removed at the end.
private let stateDirectory: String = {
    var template = Array("/tmp/mesh-states-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { return "" }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    setenv("MESH_STATE", path, 1)
    atexit { try? FileManager.default.removeItem(atPath: stateDirectory) }
    return path
}()
