import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes {
    /// Every cause of `ActorTermination`, seen by those who wait for one actor's end and by those who listen to all.
    @Suite struct Terminations {
        /// An actor, and what the mesh says of its end.
        private struct Subject: Sendable {
            let mesh: Mesh
            let witness: Witness
            let branch: Branch
            let events: MeshStream<MeshEvent>

            init(_ mesh: Mesh, _ options: ActorOptions = ActorOptions(), failsFrom: UInt64? = nil) async throws {
                self.mesh = mesh
                self.events = try await mesh.events()
                self.witness = try await mesh.spawn(Witness.self, options: Witness.options)
                var options = options
                options.name = "subject"
                self.branch = try await mesh.spawn(
                    Branch.self, .init("subject", self.witness, failsFrom: failsFrom), options: options)
            }

            /// How it ended, which both ways tell.
            func end() async throws -> ActorTermination {
                let termination = try await self.mesh.terminated(self.branch)
                #expect(try await self.event() == termination)
                let error = await #expect(throws: MeshError.self) { try await self.branch.life() }
                #expect(error?.code == .actorDied)
                #expect(await codeThrown { try await self.mesh.find(Branch.self, named: "subject") } == .actorNotFound)
                return termination
            }

            func event() async throws -> ActorTermination? {
                for try await event in self.events where event.kind == .actorEnded && event.subject.contains("subject")
                {
                    return event.termination
                }
                return nil
            }
        }

        @Test("exited, stopped and killed")
        func onPurpose() async throws {
            for cause in [ActorTermination.Cause.exited, .stopped, .killed] {
                try await withFixtures { mesh in
                    let subject = try await Subject(mesh, .init(maxRestarts: 3))
                    switch cause {
                    case .exited: #expect(await codeThrown { try await subject.branch.exit() } == .actorDied)
                    case .stopped: try await mesh.stop(subject.branch)
                    default: try await mesh.kill(subject.branch)
                    }
                    let end = try await subject.end()
                    #expect(end.cause == cause, "\(end)")
                    #expect(end.name == "subject" && end.incarnation == 1 && !end.node.isEmpty)
                    #expect(end.typeName.contains("Branch"))
                }
            }
        }

        @Test("released, and ownerDied")
        func byOthers() async throws {
            try await withFixtures { mesh in
                let events = try await mesh.events()
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                func ended(_ name: String) async throws -> ActorTermination? {
                    for try await event in events where event.termination?.name == name { return event.termination }
                    return nil
                }
                func spawnAndDrop() async throws {
                    _ = try await mesh.spawn(Branch.self, .init("r", witness), options: .init(name: "r")).life()
                }
                try await spawnAndDrop()
                #expect(try await ended("r")?.cause == .released)
                let top = try await mesh.spawn(Branch.self, .init("top", witness, shape: [1]))
                let child = try #require(try await top.family().first)
                try await mesh.kill(top)
                let end = try await mesh.terminated(child)
                #expect(end.cause == .ownerDied, "\(end)")
                #expect(try await ended("top.0") == end)
            }
        }

        @Test("processCrashed, with the signal and the last lines of output")
        func crashed() async throws {
            try await withFixtures { mesh in
                let subject = try await Subject(mesh)
                let process = try await subject.branch.processID()
                #expect(
                    await codeThrown { try await subject.branch.crash(saying: "famous last words") } == .actorDied)
                let end = try await subject.end()
                #expect(end.cause == .processCrashed, "\(end)")
                #expect(end.process?.signal == SIGKILL && end.process?.status == nil)
                #expect(end.process?.processID == process)
                #expect(end.process?.lastOutput == ["famous last words"])
                #expect(end.message.contains("signal 9"), "\(end.message)")
                #expect(end.message.contains("famous last words"), "\(end.message)")
            }
        }

        @Test("outOfMemory: it asked for more than its resources allow")
        func outOfMemory() async throws {
            try await withFixtures { mesh in
                let events = try await mesh.events()
                let noisy = try await mesh.spawn(
                    Noisy.self, options: .init(name: "noisy", resources: Resources(memory: .mebibytes(64))))
                #expect(await codeThrown { try await noisy.eat(mebibytes: 1024) } == .actorDied)
                let end = try await mesh.terminated(noisy)
                #expect(end.cause == .outOfMemory, "\(end)")
                #expect(end.process?.isOutOfMemory == true)
                for try await event in events where event.termination?.name == "noisy" {
                    #expect(event.termination == end)
                    break
                }
            }
        }

        @Test("restartsExhausted, with how the process ended the last time")
        func restartsExhausted() async throws {
            try await withFixtures { mesh in
                let subject = try await Subject(mesh, .init(maxRestarts: 1))
                kill(try await subject.branch.processID(), SIGKILL)
                try await poll { (try? await subject.branch.life()) == 2 }
                kill(try await subject.branch.processID(), SIGTERM)
                let end = try await subject.end()
                #expect(end.cause == .restartsExhausted, "\(end)")
                #expect(end.process?.signal == SIGTERM && end.incarnation == 2)
            }
        }

        @Test("constructorFailed: the spawner hears the error, listeners the cause")
        func constructorFailed() async throws {
            try await withFixtures { mesh in
                let events = try await mesh.events()
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                await #expect(throws: Refusal.closed) {
                    try await mesh.spawn(
                        Branch.self, .init("b", witness, failsFrom: 1), options: .init(name: "b", maxRestarts: 5))
                }
                for try await event in events where event.termination?.name == "b" {
                    #expect(event.termination?.cause == .constructorFailed && event.incarnation == 1)
                    break
                }
                #expect(try await witness.count(of: "b started 2") == 0)
            }
        }

        @Test("an initialiser that fails at a restart uses up restarts, until there are none")
        func constructorFailsAgain() async throws {
            try await withFixtures { mesh in
                let subject = try await Subject(
                    mesh, .init(maxRestarts: 3, backoff: Backoff(initial: .milliseconds(1))), failsFrom: 2)
                kill(try await subject.branch.processID(), SIGKILL)
                let end = try await subject.end()
                #expect(end.cause == .restartsExhausted && end.incarnation == 4, "\(end)")
                #expect(end.message.contains("initialiser failed"), "\(end)")
                #expect(try await subject.witness.log().suffix(3) == (2...4).map { "subject started \($0)" })
            }
        }

        @Test("nodeLost")
        func nodeLost() async throws {
            let cluster = try await Cluster()
            try await cluster.drive { mesh in
                let subject = try await Subject(mesh)
                cluster.node.send(SIGKILL)
                let end = try await subject.end()
                #expect(end.cause == .nodeLost, "\(end)")
                #expect(end.node == "fixtures")
            }
        }

        @Test("notPlaced: nothing was free before its time for being placed was over")
        func notPlaced() async throws {
            let cluster = try await Cluster(resources: ["--resource", "license=1"])
            try await cluster.drive { mesh in
                let one = Resources(custom: ["license": 1])
                let first = try await Subject(mesh, .init(resources: one))
                let code = await codeThrown {
                    try await mesh.spawn(
                        Witness.self,
                        options: .init(name: "late subject", resources: one, placementTimeout: .milliseconds(100)))
                }
                #expect(code == .deadlineExceeded)
                let end = try #require(try await first.event())
                #expect(end.cause == .notPlaced && end.name == "late subject", "\(end)")
                #expect(end.message.contains("license"), "\(end)")
                try await mesh.kill(first.branch)
            }
        }

        @Test("unknown: a new broker that keeps nothing was never told of it")
        func unknown() async throws {
            let cluster = try await Cluster()
            try await cluster.drive { mesh in
                let subject = try await Subject(mesh)
                cluster.broker.send(SIGKILL)
                cluster.node.send(SIGKILL)
                _ = await (cluster.broker.wait(), cluster.node.wait())
                let second = try await cluster.restartBroker()
                let end = try await mesh.terminated(subject.branch)
                #expect(end.cause == .unknown, "\(end)")
                withExtendedLifetime(second) {}
            }
        }
    }
}
