import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes {
    /// L5: when the program of an embedded mesh ends in any way, no process of the mesh is left.
    @Suite("L5: no orphans") struct NoOrphans {
        @Test("kill -9, SIGTERM or SIGINT of a program: its workers are gone", arguments: [SIGKILL, SIGTERM, SIGINT])
        func programKilled(signal: Int32) async throws {
            let program = try FixtureProgram()
            let line = try #require(await program.line())
            let workers = line.split(separator: " ").dropFirst().compactMap { Int32($0) }
            #expect(workers.count == 2)
            for worker in workers { #expect(ProcessTable.isRunning(worker)) }
            let all = Set(workers + ProcessTable.children(of: program.processID, named: "mesh-fixtures"))
            program.send(signal)
            #expect(await program.wait() == -signal)
            try await poll { !all.contains(where: ProcessTable.isRunning) }
        }

        @Test("when the scope of a mesh ends its workers are gone, without remains", arguments: [true, false])
        func scopeEnds(well: Bool) async throws {
            var workers: [Int32] = []
            do {
                workers = try await withFixtures { mesh in
                    let own = try await mesh.spawn(Blocker.self)
                    let shared = try await mesh.spawn(Blocker.self, options: .init(placement: .shared))
                    let running = try await own.processID()
                    #expect(ProcessTable.isRunning(running))
                    if !well { throw Refusal.closed }
                    return [running, try await shared.processID()]
                }
            } catch Refusal.closed {}
            for worker in workers { #expect(!ProcessTable.isRunning(worker)) }
            #expect(ProcessTable.children(named: "mesh-fixtures") == [])
        }

        @Test("ten meshes one after the other leave no descriptor and no thread behind")
        func repeatedly() async throws {
            let program = try FixtureProgram("repeat")
            let line = try #require(await program.line())
            // Swift's own pool may have grown by a thread or two; each mesh that leaves something makes it ten.
            let left = line.split(separator: " ").compactMap { Int($0) }
            #expect(left.count == 2)
            #expect(left.allSatisfy { $0 < 5 }, "descriptors and threads: \(line)")
            #expect(await program.wait() == 0)
        }

        @Test("actors spawned by an actor that dies die with it")
        func children() async throws {
            try await withFixtures { mesh in
                let parent = try await mesh.spawn(Parent.self)
                let child = try #require(try await parent.family().first)
                let process = try await child.processID()
                try await mesh.kill(parent)
                try await poll { !ProcessTable.isRunning(process) }
                #expect(await codeThrown { try await child.count() } == .actorDied)
            }
        }
    }
}
