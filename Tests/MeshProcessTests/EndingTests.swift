import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes {
    /// How actors are ended on purpose: from inside, in good order, and at once.
    @Suite struct Ending {
        @Test("exit: calls before it finish, its own says so, those after it fail, and it is not restarted")
        func exits() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let branch = try await mesh.spawn(
                    Branch.self, .init("one", witness), options: .init(name: "one", maxRestarts: .unlimited))
                let before = try await mesh.submit { try await branch.hold() }
                let exiting = try await mesh.submit { try await branch.exit() }
                let after = try await mesh.submit { try await branch.note("after") }
                try await witness.wait(for: "one held", count: 1)
                try await witness.reach("go")
                _ = try await before.value
                let error = await #expect(throws: MeshError.self) { try await exiting.value }
                #expect(error?.code == .actorDied)
                #expect(error?.message.contains("ended itself") == true, "\(String(describing: error))")
                #expect(await codeThrown { try await after.value } == .actorDied)

                let termination = try await mesh.terminated(branch)
                #expect(termination.cause == .exited, "\(termination)")
                #expect(termination.incarnation == 1)
                #expect(await codeThrown { try await branch.life() } == .actorDied)
                let log = try await witness.log().filter { $0.hasPrefix("one") }
                #expect(log == ["one started 1", "one held", "one done", "one cleaned up: exited"])
                #expect(await codeThrown { try await mesh.find(Branch.self, named: "one") } == .actorNotFound)
            }
        }

        @Test("an actor that ended itself is not restarted when its process dies while it cleans up")
        func exitAndDie() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let quitter = try await mesh.spawn(Quitter.self, witness, options: .init(maxRestarts: 3))
                #expect(await codeThrown { try await quitter.quit() } == .actorDied)
                // Not before the answer has left its process.
                try await witness.reach("go")
                let end = try await mesh.terminated(quitter)
                #expect(end.cause == .exited, "\(end)")
                #expect(end.incarnation == 1)
            }
        }

        @Test("stop: it finishes what it accepted, cleans up and ends; then its name is free")
        func stops() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let branch = try await mesh.spawn(
                    Branch.self, .init("one", witness), options: .init(name: "one", maxRestarts: .unlimited))
                let held = try await mesh.submit { try await branch.hold() }
                let queued = try await mesh.submit { try await branch.note("queued") }
                try await witness.wait(for: "one held", count: 1)
                async let stopped: Void = mesh.stop(branch)
                try await poll { try await mesh.info("one")?.state == .ending }
                // One that it still accepts waits behind the first, and is over with its deadline.
                try await poll {
                    await codeThrown {
                        try await mesh.withDeadline(.milliseconds(100)) { try await branch.note("late") }
                    } == .actorDied
                }
                try await witness.reach("go")
                try await stopped
                _ = try await held.value
                _ = try await queued.value
                let again = try await mesh.spawn(Branch.self, .init("two", witness), options: .init(name: "one"))
                #expect(try await again.life() == 1)
                #expect(try await mesh.terminated(branch).cause == .stopped)
                let log = try await witness.log().filter { $0.hasPrefix("one") }
                #expect(log == ["one started 1", "one held", "one done", "one queued", "one cleaned up: stopped"])
                // Ending one that has ended is no error.
                try await mesh.stop(branch)
            }
        }

        @Test("stop ends what does not end by itself when its time is over")
        func bounded() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self, options: .init(name: "blocker"))
                let process = try await blocker.processID()
                let stuck = try await mesh.submit { try await blocker.ignoreEverything(witness, "stuck") }
                try await witness.wait(for: "stuck", count: 1)
                try await mesh.stop(blocker, timeout: .milliseconds(300))
                #expect(await codeThrown { try await stuck.value } == .actorDied)
                #expect(await codeThrown { try await mesh.find(Blocker.self, named: "blocker") } == .actorNotFound)
                #expect(try await mesh.terminated(blocker).cause == .stopped)
                try await poll { !ProcessTable.isRunning(process) }
            }
        }

        @Test("kill: what waits and runs fails, the name is free at once, and to kill again is no error")
        func kills() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                for round in 0..<10 {
                    let isRestartable = round % 2 == 1
                    let branch = try await mesh.spawn(
                        Branch.self, .init("one", witness),
                        options: .init(name: "one", maxRestarts: isRestartable ? .unlimited : 0))
                    let process = try await branch.processID()
                    let running = try await mesh.submit { try await branch.hold() }
                    let waiting = try await mesh.submit { try await branch.note("never") }
                    async let first: Void = mesh.kill(branch)
                    async let second: Void = mesh.kill(branch)
                    _ = try await (first, second)
                    #expect(await codeThrown { try await mesh.find(Branch.self, named: "one") } == .actorNotFound)
                    // The callers of one that may be started again do not know yet that it is not.
                    let expected: MeshError.Code = isRestartable ? .actorUnavailable : .actorDied
                    for ref in [running, waiting] {
                        let code = await codeThrown { try await ref.value }
                        #expect(code == .actorDied || code == expected)
                    }
                    #expect(await codeThrown { try await branch.life() } == .actorDied)
                    let termination = try await mesh.terminated(branch)
                    #expect(termination.cause == .killed && termination.incarnation == 1, "\(termination)")
                    try await mesh.kill(branch)
                    try await poll { !ProcessTable.isRunning(process) }
                }
                #expect(try await witness.count(of: "one never") == 0)
                #expect(try await witness.count(of: "one cleaned up: killed") == 0, "it does not clean up")
            }
        }

        @Test("kill with a restart counts against those it may have; without one left it ends")
        func killsToRestart() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let branch = try await mesh.spawn(
                    Branch.self, .init("one", witness), options: .init(name: "one", maxRestarts: 1))
                try await mesh.kill(branch, restart: true)
                #expect(try await branch.life() == 2)
                #expect(try await mesh.find(Branch.self, named: "one").life() == 2)
                try await mesh.kill(branch, restart: true)
                let termination = try await mesh.terminated(branch)
                #expect(termination.cause == .killed && termination.incarnation == 2, "\(termination)")
                #expect(await codeThrown { try await branch.life() } == .actorDied)
            }
        }

        @Test("kill ends an actor that shares its process, and not the others there")
        func shared() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let one = try await mesh.spawn(Branch.self, .init("one", witness), options: .init(placement: .shared))
                let two = try await mesh.spawn(Branch.self, .init("two", witness), options: .init(placement: .shared))
                #expect(try await one.processID() == two.processID())
                let held = try await mesh.submit { try await one.hold() }
                try await witness.wait(for: "one held", count: 1)
                try await mesh.kill(one)
                #expect(await codeThrown { try await held.value } == .actorDied)
                #expect(try await mesh.terminated(one).cause == .killed)
                #expect(try await two.life() == 1)
            }
        }
    }
}
