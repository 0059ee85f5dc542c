import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes {
    /// C3: every call ends exactly once, with its result or a typed error, also when the process of its actor dies.
    @Suite("C3: every call ends") struct CallsEnd {
        @Test("kill -9 of the process ends the call that runs and all that wait, promptly", arguments: 1...3)
        func killed(round: Int) async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self)
                let process = try await blocker.processID()
                let running = try await mesh.submit { try await blocker.hold(witness, "held") }
                var waiting: [ObjectRef<Int>] = []
                for _ in 0..<50 { waiting.append(try await mesh.submit { try await blocker.count() }) }
                try await witness.wait(for: "held", count: 1)

                let start = ContinuousClock.now
                kill(process, SIGKILL)
                #expect(await codeThrown { try await running.value } == .actorDied)
                for ref in waiting { #expect(await codeThrown { try await ref.value } == .actorDied) }
                let time = ContinuousClock.now - start
                // Far below the lease time, whatever else the machine does.
                #expect(time < .seconds(2), "it took \(time)")

                // Later calls fail at once, and say why.
                let error = await #expect(throws: MeshError.self) { try await blocker.count() }
                #expect(error?.code == .actorDied)
                #expect(error?.message.contains("\(process)") == true, "\(String(describing: error))")
                #expect(error?.message.contains("Blocker") == true)
                // The mesh works on.
                let next = try await mesh.spawn(Blocker.self)
                #expect(try await next.count() == 1)
            }
        }

        @Test(
            "a caller learns of a death within 100 ms, also one that has not started the process",
            arguments: [false, true])
        func promptly(fromAnotherProcess: Bool) async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let caller = try await mesh.spawn(Caller.self)
                var times: [Duration] = []
                for round in 1...5 {
                    let blocker = try await mesh.spawn(Blocker.self)
                    let process = try await blocker.processID()
                    async let outcome =
                        fromAnotherProcess
                        ? caller.outcome(ofHolding: blocker, witness)
                        : codeThrown { try await blocker.hold(witness, "held") }.map { "\($0)" } ?? "result"
                    try await witness.wait(for: "held", count: round)
                    let start = ContinuousClock.now
                    kill(process, SIGKILL)
                    #expect(try await outcome == "actorDied")
                    times.append(ContinuousClock.now - start)
                }
                // Other load may delay some of them, but not all.
                let quickest = try #require(times.min())
                #expect(quickest < .milliseconds(100), "they took \(times)")
            }
        }

        @Test("a caller in another process learns of the death too")
        func thirdProcess() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self)
                let caller = try await mesh.spawn(Caller.self)
                let process = try await blocker.processID()
                let outcome = try await mesh.submit { try await caller.outcome(ofHolding: blocker, witness) }
                try await witness.wait(for: "held", count: 1)
                kill(process, SIGKILL)
                #expect(try await outcome.value == "actorDied")
            }
        }

        @Test("a process that ends itself in any way ends its calls", arguments: ["crash", "trap", "leave"])
        func endsItself(how: String) async throws {
            try await withFixtures { mesh in
                let blocker = try await mesh.spawn(Blocker.self)
                let code = await codeThrown {
                    switch how {
                    case "crash": try await blocker.crash()
                    case "trap": try await blocker.trap()
                    default: try await blocker.leave(status: 0)
                    }
                }
                #expect(code == .actorDied)
                let next = try await mesh.spawn(Blocker.self)
                #expect(try await next.count() == 1)
            }
        }

        @Test("kill ends the calls that run and wait, and killing twice is no error")
        func killedByProgram() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self)
                let running = try await mesh.submit { try await blocker.hold(witness, "held") }
                let waiting = try await mesh.submit { try await blocker.count() }
                try await witness.wait(for: "held", count: 1)
                try await mesh.kill(blocker)
                #expect(await codeThrown { try await running.value } == .actorDied)
                #expect(await codeThrown { try await waiting.value } == .actorDied)
                #expect(await codeThrown { try await blocker.count() } == .actorDied)
                try await mesh.kill(blocker)
            }
        }

        @Test("kill ends a call of a shared process whose code heeds nothing")
        func killedShared() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self, options: .init(placement: .shared))
                let running = try await mesh.submit { try await blocker.ignoreEverything(witness, "held") }
                let waiting = try await mesh.submit { try await blocker.count() }
                try await witness.wait(for: "held", count: 1)
                try await mesh.kill(blocker)
                #expect(await codeThrown { try await running.value } == .actorDied)
                #expect(await codeThrown { try await waiting.value } == .actorDied)
                // The process lives on, and with it the witness.
                #expect(try await witness.count(of: "held") == 1)
            }
        }

        @Test("an initialiser's own error reaches the spawner as itself")
        func constructorRefuses() async throws {
            try await withFixtures { mesh in
                await #expect(throws: Refusal.insufficient(missing: 3)) {
                    try await mesh.spawn(Moody.self, .init(mood: .refuses))
                }
                let error = await #expect(throws: MeshError.self) {
                    try await mesh.spawn(Moody.self, .init(mood: .whims))
                }
                #expect(error?.code == .constructorFailed)
                #expect(error?.message.contains("Whim") == true)
                #expect(error?.message.contains("the weather") == true)
                let crashed = await codeThrown { try await mesh.spawn(Moody.self, .init(mood: .crashes)) }
                #expect(crashed == .actorDied)
                let moody = try await mesh.spawn(Moody.self, .init(mood: .good))
                #expect(try await moody.act(.good) == "fine")
                #expect(try await mesh.actors().count == 1)
            }
        }

        @Test("a method's own error reaches the caller, and the actor lives on")
        func methodThrows() async throws {
            try await withFixtures { mesh in
                let moody = try await mesh.spawn(Moody.self, .init(mood: .good))
                await #expect(throws: Refusal.insufficient(missing: 3)) { try await moody.act(.refuses) }
                let error = await #expect(throws: RemoteCallError.self) { try await moody.act(.whims) }
                #expect(error?.typeName.contains("Whim") == true)
                #expect(error?.reason.contains("the weather") == true)
                #expect(error?.method.contains("Moody.act") == true, "\(String(describing: error))")
                #expect(try await moody.act(.good) == "fine")
            }
        }
    }
}
