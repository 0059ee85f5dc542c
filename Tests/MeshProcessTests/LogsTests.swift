import ActorMesh
import FoundationEssentials
import Glibc
import MeshFixtures
import MeshTesting
import Synchronization
import Testing

extension Processes {
    /// What workers say reaches the collector, whatever dies on the way.
    @Suite struct LogsOutlive {
        @Test("no accepted line of ten tasks is missing, twice or out of order when workers, a node and the broker die")
        func nothingIsLost() async throws {
            let cluster = try await LoggedCluster()
            defer { cluster.folder.remove() }
            let notes = cluster.notes
            let configuration = MeshConfiguration(
                address: cluster.address, program: Fixtures.program,
                settings: MeshSettings(leaseTime: .seconds(3), heartbeatInterval: .milliseconds(300)))
            try await withMesh(configuration) { mesh in
                let tail = Tail()
                let follower = Task.detached { try await tail.follow(mesh) }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for lane in 0..<10 {
                        group.addTask {
                            while !Task.isCancelled {
                                // What was killed is begun anew.
                                let task = Chronicle(lane: lane, count: 400, folder: notes)
                                _ = try? await mesh.submit(task).value
                            }
                        }
                    }
                    try await Self.reach(3_000, notes)
                    cluster.killWorkers()
                    try await Self.reach(6_000, notes)
                    await cluster.killBroker()
                    try await Self.reach(8_000, notes)
                    try await cluster.startBroker()
                    try await Self.reach(10_000, notes)
                    await cluster.killNode()
                    try await cluster.startNode()
                    try await Self.reach(13_000, notes)
                    group.cancelAll()
                }
                let accepted = try Chronicles.accepted(notes)
                #expect(accepted.count > 10)
                try await Self.check(mesh, tail, accepted)
                follower.cancel()
                _ = try? await follower.value
            }
        }

        @Test("what workers say is collected, and they go on, when nobody reads what their node shows")
        func nobodyReads() async throws {
            let folder = try TemporaryDirectory()
            defer { folder.remove() }
            let environment = ["MESH_WORKER_OUTPUT": "prefixed"]
            let broker = try FixtureProgram("broker", "--bind", "tcp://127.0.0.1:*", environment: environment)
            let address = try #require(await broker.line()?.split(separator: " ").last.map(String.init))
            let node = try FixtureProgram(
                "node", "--mesh", address, "--name", "mute", "--cpus", "2", "--log-spool", "\(folder.path)/spool",
                environment: environment)
            _ = try #require(await node.line())
            var configuration = MeshConfiguration(address: address, program: Fixtures.program)
            configuration.workerOutput = WorkerOutputStyle.none
            try await withMesh(configuration) { mesh in
                let loud = try await mesh.spawn(Noisy.self, options: ActorOptions(name: "loud"))
                // Far more than any pipe holds.
                try await loud.chatter("x", length: 3000, lines: 2000)
                try await poll(for: .seconds(30)) {
                    var count = 0
                    for try await _ in try await mesh.logs(LogQuery(actor: "loud", text: "xxx")) { count += 1 }
                    return count == 2000
                }
            }
        }

        /// Waits until so many lines were accepted.
        private static func reach(_ count: Int, _ notes: String) async throws {
            try await poll(for: .seconds(60)) { try Chronicles.accepted(notes).values.reduce(0, +) >= count }
        }

        private static func check(_ mesh: Mesh, _ tail: Tail, _ accepted: [String: Int]) async throws {
            var (collected, seen) = (Lines(), Lines())
            // Tasks that were cancelled may say a little more, and the driver may not have found the new broker yet.
            try await poll(for: .seconds(60)) {
                guard let logs = try? await mesh.logs() else { return false }
                (collected, seen) = (Lines(), tail.lines)
                for try await record in logs { collected.add(record) }
                return collected.has(accepted) && collected.differences(from: seen).isEmpty
            }
            #expect(collected.differences(from: seen) == [], "what the tail has seen is another thing")
            #expect(collected.disorder == [])
            for (run, count) in accepted {
                let numbers = collected.logged[run] ?? []
                // The last one may have been written down and not noted.
                let isWhole = numbers == Array(1..<numbers.count + 1)
                #expect(isWhole, "\(run): \(count) were accepted, \(numbers) collected")
                #expect(numbers.count >= count, "\(run): \(numbers.count) of \(count)")
            }
            #expect(seen.disorder == [])
        }
    }
}

/// Numbered lines by the run that logged them.
struct Lines {
    var logged: [String: [Int]] = [:]
    var disorder: [String] = []
    private var sequences: [UniqueID: UInt64] = [:]
    private var printed: [String: Int] = [:]

    mutating func add(_ record: LogRecord) {
        let before = self.sequences[record.source] ?? 0
        if record.sequence != before + max(1, record.dropped) || record.kind == .gap {
            self.disorder.append("\(record.sequence) after \(before) of \(record.source): \(record.text)")
        }
        self.sequences[record.source] = record.sequence
        let words = record.text.split(separator: " ")
        if record.kind == .log, words.count == 2, let number = Int(words[1]) {
            self.logged[String(words[0]), default: []].append(number)
        } else if record.kind == .output, words.count == 3, let number = Int(words[2]) {
            let run = String(words[0])
            if number != (self.printed[run] ?? 0) + 3 { self.disorder.append("printed \(record.text)") }
            self.printed[run] = number
        }
    }

    /// By run, how many lines there are here and there.
    func differences(from other: Lines) -> [String] {
        Set(self.logged.keys).union(other.logged.keys).sorted().compactMap { run in
            let (one, two) = (self.logged[run] ?? [], other.logged[run] ?? [])
            return one == two ? nil : "\(run): \(one.count) and \(two.count)"
        }
    }

    func has(_ accepted: [String: Int]) -> Bool {
        accepted.allSatisfy { (self.logged[$0.key]?.count ?? 0) >= $0.value }
    }
}

/// A reader that follows.
final class Tail: Sendable {
    private let state = Mutex(Lines())

    var lines: Lines { self.state.withLock { $0 } }

    func follow(_ mesh: Mesh) async throws {
        for try await record in try await mesh.logs(follow: true) { self.state.withLock { $0.add(record) } }
    }
}

/// A broker and two nodes that keep logs in files; the broker and one of the nodes can be killed and started again.
final class LoggedCluster: Sendable {
    let folder: TemporaryDirectory
    let address: String
    private let steady: FixtureProgram
    private let broker: Mutex<FixtureProgram?>
    private let other: Mutex<FixtureProgram?>

    /// Where tasks note what was accepted.
    var notes: String { "\(self.folder.path)/notes" }

    init() async throws {
        let folder = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/notes", withIntermediateDirectories: true)
        let (broker, address) = try await Self.broker(at: "tcp://127.0.0.1:*", folder)
        self.folder = folder
        self.address = address
        self.broker = Mutex(broker)
        self.steady = try await Self.node("a", of: address, folder)
        self.other = Mutex(try await Self.node("b", of: address, folder))
    }

    /// With a store, so that the nodes wait for the broker as long as it takes.
    private static func environment(_ folder: TemporaryDirectory) -> [String: String] {
        ["FIXTURES_LEASE": "3000", "MESH_WORKER_OUTPUT": "none", "FIXTURES_STORE": "\(folder.path)/registry"]
    }

    private static func broker(
        at address: String, _ folder: TemporaryDirectory
    ) async throws -> (FixtureProgram, String) {
        let broker = try FixtureProgram(
            "broker", "--bind", address, "--logs", "\(folder.path)/logs", environment: self.environment(folder))
        let line = try #require(await broker.line())
        return (broker, try #require(line.split(separator: " ").last.map(String.init)))
    }

    private static func node(
        _ name: String, of address: String, _ folder: TemporaryDirectory
    ) async throws -> FixtureProgram {
        let node = try FixtureProgram(
            "node", "--mesh", address, "--name", name, "--cpus", "6", "--log-spool", "\(folder.path)/\(name)",
            environment: self.environment(folder))
        _ = try #require(await node.line())
        return node
    }

    /// Kills two workers of each node.
    func killWorkers() {
        for node in [self.steady, self.other.withLock { $0 }] {
            let workers = ProcessTable.children(of: node?.processID ?? 0, named: "mesh-fixtures")
            for worker in workers.prefix(2) { Glibc.kill(worker, SIGKILL) }
        }
    }

    func killBroker() async { await Self.kill(self.broker) }

    func killNode() async { await Self.kill(self.other) }

    private static func kill(_ place: borrowing Mutex<FixtureProgram?>) async {
        let program = place.withLock { program in
            defer { program = nil }
            return program
        }
        program?.send(SIGKILL)
        _ = await program?.wait()
    }

    func startBroker() async throws {
        let (broker, _) = try await Self.broker(at: self.address, self.folder)
        self.broker.withLock { $0 = broker }
    }

    func startNode() async throws {
        let node = try await Self.node("b", of: self.address, self.folder)
        self.other.withLock { $0 = node }
    }
}
