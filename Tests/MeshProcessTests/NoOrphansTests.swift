import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes {
    /// L5: when the program of an embedded mesh ends in any way, no process of the mesh is left.
    @Suite struct NoOrphans {
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

        @Test("ten meshes one after the other leave nothing behind")
        func repeatedly() async throws {
            let descriptors = self.openDescriptors()
            for _ in 0..<10 {
                try await withFixtures { mesh in
                    let blocker = try await mesh.spawn(Blocker.self)
                    #expect(try await blocker.count() == 1)
                }
            }
            #expect(ProcessTable.children(named: "mesh-fixtures") == [])
            // What a mesh closes in the background may take a moment.
            try await poll { self.openDescriptors() <= descriptors + 5 }
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

        private func openDescriptors() -> Int {
            (0..<4096).count { fcntl(Int32($0), F_GETFD) != -1 }
        }
    }
}
