import ActorMesh
import FoundationEssentials
import Glibc
import MeshFixtures
import MeshRuntime
import Testing

/// An actor that only the test program has.
distributed actor Stranger: RemoteActor {
    distributed func hello() -> String { "hello" }
}

/// A task that only the test program has.
struct StrangeTask: RemoteTask {
    func run(on mesh: Mesh) async throws -> Done { Done() }
}

extension Processes {
    /// What is asked for wrongly gets a typed error that says what and where, and the mesh works on.
    @Suite struct BadInput {
        @Test("an actor type that the worker's program lacks")
        func unknownType() async throws {
            try await withFixtures { mesh in
                let error = await #expect(throws: MeshError.self) { try await mesh.spawn(Stranger.self) }
                #expect(error?.code == .typeNotFound)
                #expect(error?.message.contains("Stranger") == true, "\(String(describing: error))")
                #expect(error?.message.contains("mesh-fixtures") == true)
                try await self.works(mesh)
            }
        }

        @Test("a task type that the worker's program lacks")
        func unknownTask() async throws {
            try await withFixtures { mesh in
                let error = await #expect(throws: MeshError.self) { try await mesh.submit(StrangeTask()).value }
                #expect(error?.code == .typeNotFound)
                #expect(error?.message.contains("StrangeTask") == true, "\(String(describing: error))")
                try await self.works(mesh)
            }
        }

        @Test("a name without letters, one that is too long, and none where one is needed")
        func names() async throws {
            try await withFixtures { mesh in
                #expect(
                    await codeThrown { try await mesh.spawn(Blocker.self, options: .init(name: "")) }
                        == .invalidArgument)
                #expect(await codeThrown { try await mesh.find(Blocker.self, named: "") } == .invalidArgument)
                let long = String(repeating: "é", count: 300)
                #expect(
                    await codeThrown { try await mesh.spawn(Blocker.self, options: .init(name: long)) }
                        == .invalidArgument)
                #expect(
                    await codeThrown { try await mesh.findOrSpawn(Blocker.self, options: .init()) } == .invalidArgument)
                #expect(await codeThrown { try await mesh.find(Blocker.self, named: "nobody") } == .actorNotFound)
                try await self.works(mesh)
            }
        }

        @Test("a name that is taken says whose it is")
        func nameTaken() async throws {
            try await withFixtures { mesh in
                let holder = try await mesh.spawn(Blocker.self, options: .init(name: "the name"))
                let error = await #expect(throws: MeshError.self) {
                    try await mesh.spawn(Ledger.self, options: .init(name: "the name"))
                }
                #expect(error?.code == .nameTaken)
                #expect(error?.message.contains("the name") == true)
                #expect(try await holder.count() == 1)
            }
        }

        @Test("limits that make no sense")
        func limits() async throws {
            try await withFixtures { mesh in
                #expect(
                    await codeThrown { try await mesh.spawn(Blocker.self, options: .init(maxConcurrency: 0)) }
                        == .invalidArgument)
                #expect(
                    await codeThrown { try await mesh.spawn(Blocker.self, options: .init(maxPendingCalls: -1)) }
                        == .invalidArgument)
                #expect(
                    await codeThrown { try await mesh.spawn(Blocker.self, options: .init(node: "no such node")) }
                        == .invalidArgument)
                try await self.works(mesh)
            }
        }

        @Test("more than any node has, at once and not after waiting")
        func resources() async throws {
            try await withFixtures { mesh in
                let error = await #expect(throws: MeshError.self) {
                    try await mesh.spawn(Blocker.self, options: .init(resources: .init(cpus: 1, gpus: 3)))
                }
                #expect(error?.code == .insufficientResources)
                #expect(error?.message.contains("gpus") == true, "\(String(describing: error))")
                try await self.works(mesh)
            }
        }

        @Test("memory is the machine's unless the node was told: a part of it can be had, more than all cannot")
        func memory() async throws {
            try await withFixtures { mesh in
                let small = ActorOptions(resources: .init(cpus: 1, gpus: 0, memory: .mebibytes(16)))
                let echo = try await mesh.spawn(Echo.self, options: small)
                #expect(try await echo.data(.init(count: 3)).count == 3)
                let error = await #expect(throws: MeshError.self) {
                    try await mesh.spawn(Echo.self, options: .init(resources: .init(memory: .gibibytes(1 << 20))))
                }
                #expect(error?.code == .insufficientResources)
                #expect(error?.message.contains("memory") == true, "\(String(describing: error))")
            }
        }

        @Test("arguments and results over the limit, in one piece and in attachments")
        func payload() async throws {
            let settings = MeshSettings(maximumPayload: 200_000)
            try await withFixtures(settings: settings) { mesh in
                let echo = try await mesh.spawn(Echo.self)
                #expect(try await echo.data(.init(count: 150_000)).count == 150_000)
                let error = await #expect(throws: MeshError.self) { try await echo.data(.init(count: 250_000)) }
                #expect(error?.code == .payloadTooLarge)
                #expect(error?.message.contains("Echo.data") == true, "\(String(describing: error))")
                #expect(error?.message.contains("200000") == true)
                #expect(
                    await codeThrown { try await echo.text(String(repeating: "x", count: 250_000)) } == .payloadTooLarge
                )
                #expect(
                    await codeThrown { try await echo.reversed(Array(repeating: .init(count: 90_000), count: 3)) }
                        == .payloadTooLarge)
                #expect(try await echo.zeros(150_000).count == 150_000)
                try await self.works(mesh)
            }
        }

        @Test("a result that finds room neither in memory nor on disk, and a task over the limit")
        func noRoom() async throws {
            let settings = MeshSettings(
                maximumPayload: 200_000, objectMemory: .bytes(1 << 20), spillDirectory: "/nowhere")
            try await withFixtures(settings: settings) { mesh in
                let error = await #expect(throws: MeshError.self) {
                    try await mesh.submit(MakeCargo(seed: 1, bytes: 4 << 20)).value
                }
                #expect(error?.code == .insufficientResources)
                #expect(error?.message.contains("/nowhere") == true)
                #expect(mesh.objects.storeIfMade?.usage.count == 0)
                let parcel = Parcel(seed: 1, bytes: 1, content: .cargo(try await mesh.put(Cargo(name: "small"))))
                let crate = Crate(parcels: Array(repeating: parcel, count: 5000))
                let tooLarge = await #expect(throws: MeshError.self) { try await mesh.submit(Unpacking(crate)) }
                #expect(tooLarge?.code == .payloadTooLarge)
                #expect(tooLarge?.message.contains("pass the reference") == true)
                try await self.works(mesh)
            }
        }

        @Test("a broker that is not there, within the time of joining")
        func noBroker() async throws {
            let error = await #expect(throws: MeshError.self) {
                try await withMesh(
                    MeshConfiguration(
                        address: "tcp://127.0.0.1:1", program: Fixtures.program, joinTimeout: .milliseconds(300))
                ) { _ in }
            }
            #expect(error?.code == .brokerUnavailable)
            #expect(error?.message.contains("tcp://127.0.0.1:1") == true)
            #expect(
                await codeThrown { try await withMesh(MeshConfiguration(address: "nonsense")) { _ in } }
                    == .invalidArgument)
        }

        @Test("a worker program that is not there, or is none")
        func noExecutable() async throws {
            var configuration = fixturesConfiguration()
            configuration.workerExecutable = "/nonexistent/program"
            let error = await #expect(throws: MeshError.self) { try await withMesh(configuration) { _ in } }
            #expect(error?.code == .systemFailure)
            #expect(error?.message.contains("/nonexistent/program") == true)

            configuration.workerExecutable = "/bin/true"
            let code = await codeThrown {
                try await withMesh(configuration) { mesh in _ = try await mesh.spawn(Blocker.self) }
            }
            #expect(code == .systemFailure)
        }

        private func works(_ mesh: Mesh) async throws {
            let blocker = try await mesh.spawn(Blocker.self)
            #expect(try await blocker.count() == 1)
            try await mesh.kill(blocker)
        }
    }
}
