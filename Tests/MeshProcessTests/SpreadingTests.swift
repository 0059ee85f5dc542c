import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes {
    /// Tasks go to every node of their program.
    @Suite struct Spreading {
        @Test("tasks of a driver that is never idle come to a node that joins later")
        func busyDriver() async throws {
            let cluster = try await Cluster(nodes: ["first"])
            try await cluster.drive { mesh in
                // More than the four that one node runs at once, so that some always wait.
                var atWork: [ObjectRef<Int32>] = []
                func takeOne() async throws -> Int32 {
                    while atWork.count < 12 { atWork.append(try await mesh.submit(Whereabouts())) }
                    let (ready, pending) = try await mesh.wait(atWork, timeout: .seconds(20))
                    atWork = pending
                    return try await #require(ready.first).value
                }
                for _ in 0..<20 { #expect(try await takeOne() == cluster.node.processID) }
                let second = try await cluster.join("second")
                let deadline = ContinuousClock.now + .seconds(30)
                while try await takeOne() != second.processID {
                    try #require(ContinuousClock.now < deadline, "no task came to the second node")
                }
                // It takes nothing away from the first.
                while try await takeOne() != cluster.node.processID {
                    try #require(ContinuousClock.now < deadline, "no task came to the first node any more")
                }
            }
        }

        @Test("tasks that await tasks of their own do not wait for each other's workers, on whatever node those are")
        func nestedTasks() async throws {
            let cluster = try await Cluster(nodes: ["one", "other"])
            try await cluster.drive { mesh in
                // Each node runs four at once, and all of these wait for others.
                var atWork: [ObjectRef<Int>] = []
                for _ in 0..<10 { atWork.append(try await mesh.submit(Matryoshka(depth: 2))) }
                let depths = try await mesh.get(atWork, timeout: .seconds(30))
                #expect(depths == Array(repeating: 3, count: 10))
            }
        }

        @Test("a task that was sent to a node that is killed runs on another")
        func killedNode() async throws {
            let cluster = try await Cluster(nodes: ["one", "other"])
            try await cluster.drive { mesh in
                // Enough to wait for a worker at both.
                var atWork: [ObjectRef<Int32>] = []
                for _ in 0..<40 { atWork.append(try await mesh.submit(Whereabouts())) }
                cluster.node.send(SIGKILL)
                let places = try await mesh.get(atWork, timeout: .seconds(30))
                #expect(Set(places).contains(cluster.nodes[1].processID))
                #expect(places.count == 40)
            }
        }

        @Test("tasks wait for the successor of the only node, when that is killed while they run and while they wait")
        func successor() async throws {
            let cluster = try await Cluster()
            try await cluster.drive { mesh in
                // A worker was to be had.
                _ = try await mesh.submit(Whereabouts()).value
                var atWork: [ObjectRef<Int32>] = []
                for _ in 0..<10 { atWork.append(try await mesh.submit(Whereabouts())) }
                cluster.node.send(SIGKILL)
                _ = await cluster.node.wait()
                atWork.append(try await mesh.submit(Whereabouts()))
                let successor = try await cluster.join("successor")
                let places = try await mesh.get(atWork, timeout: .seconds(30))
                #expect(places.last == successor.processID)
            }
        }

        @Test("tasks wait for the only node while that is silent, and run when it is back")
        func silentNode() async throws {
            let cluster = try await Cluster()
            try await cluster.drive { mesh in
                _ = try await mesh.submit(Whereabouts()).value
                try await ProcessTable.freeze(cluster.node.processID)
                // More than have a worker.
                var atWork: [ObjectRef<Int32>] = []
                for _ in 0..<10 { atWork.append(try await mesh.submit(Whereabouts())) }
                try await poll(for: .seconds(30)) { try await mesh.nodes().isEmpty }
                cluster.node.send(SIGCONT)
                let places = try await mesh.get(atWork, timeout: .seconds(30))
                #expect(places.allSatisfy { $0 == cluster.node.processID })
            }
        }
    }
}
