import ActorMesh
import Glibc
import MeshFixtures
import MeshTesting
import Testing

extension Processes {
    /// L5: a driver, node, worker or broker that is killed or frozen leaves no orphan, and two lives of one actor never
    /// both answer.
    @Suite("L5: fencing") struct L5NobodyLeftBehind {
        @Test("a node that was frozen, alone or with its workers, finds its actors fenced", arguments: [false, true])
        func frozenNode(withWorkers: Bool) async throws {
            let cluster = try await Cluster(nodes: ["first", "second"])
            let book = Book()
            try await cluster.drive { mesh in
                let scribe = try await mesh.spawn(
                    Scribe.self, .init(path: book.path),
                    options: .init(name: "scribe", maxRestarts: .unlimited, maxTaskRetries: .unlimited))
                let info = try #require(try await mesh.info("scribe"))
                let node = cluster.nodes[info.node == "first" ? 0 : 1]
                let workers = ProcessTable.children(of: node.processID, named: "mesh-fixtures")
                #expect(workers.contains(info.processID))
                let frozen = [node.processID] + (withWorkers ? workers : [])

                // Somebody calls all the time.
                let calls = Task {
                    var lives: [UInt64] = []
                    do {
                        while true { lives.append(try await scribe.write("caller", lives.count)) }
                    } catch let error as MeshError where error.code == .cancelled {
                        return lives
                    }
                }
                try await poll { book.lines.count > 10 }
                try await ProcessTable.freeze(frozen)
                try await poll { book.lines.last?.life == 2 }
                #expect(try await mesh.info("scribe")?.node != info.node)
                for process in frozen.reversed() { kill(process, SIGCONT) }
                // The worker of the first life ends, by itself or by its node, and the node is of use again.
                try await poll { !ProcessTable.isRunning(info.processID) }
                try await poll { try await mesh.nodes().map(\.name).sorted() == ["first", "second"] }
                let count = book.lines.count
                try await poll { book.lines.count > count + 10 }
                calls.cancel()
                let lives = try await calls.value
                #expect(lives == lives.sorted(), "an earlier life answered after a later one")
                let lines = book.lines
                // What was in the middle of its run when it was frozen may end its run.
                let late = zip(lines, lines.dropFirst()).count { $0.life > $1.life }
                #expect(late <= 1, "an earlier life ran calls after a later one: \(lines.map(\.life))")
                #expect(book.history.reordered == [])
                #expect(book.history.lost(of: ["caller": lives.count]) == [])
                let there = try await mesh.spawn(Blocker.self, options: .init(node: info.node))
                #expect(try await there.count() == 1)
            }
        }

        @Test("a worker that is frozen is ended by its node, and its actor starts again")
        func frozenWorker() async throws {
            let cluster = try await Cluster()
            try await cluster.drive { mesh in
                let phoenix = try await mesh.spawn(
                    Phoenix.self, .init(motto: "again"), options: .init(maxRestarts: 1, maxTaskRetries: 1))
                let frozen = try await phoenix.state().process
                try await ProcessTable.freeze(frozen)
                let state = try await phoenix.state()
                #expect(state.incarnation == 2)
                try await poll { !ProcessTable.isRunning(frozen) }
            }
        }
    }
}
