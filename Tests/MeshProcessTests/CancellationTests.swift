import ActorMesh
import MeshFixtures
import Testing

extension Processes {
    /// C6: cancelling the awaiting task cancels the call where it runs; deadlines travel with calls.
    @Suite("C6: cancellation and deadlines") struct CancellationAndDeadlines {
        @Test("a call that runs is told, through calls that it makes itself")
        func running() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self)
                let relay = try await mesh.spawn(Relay.self)
                let task = Task { try await relay.hold(blocker, witness, "held") }
                try await witness.wait(for: "held", count: 1)
                task.cancel()
                await #expect(throws: (any Error).self) { try await task.value }
                // It was told where it runs, two processes away, and its actor is free again.
                try await witness.wait(for: "held cancelled", count: 1)
                #expect(try await blocker.count() == 1)
                #expect(try await witness.count(of: "held done") == 0)
            }
        }

        @Test("a call that waits for its turn never runs")
        func waiting() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self)
                let first = try await mesh.submit { try await blocker.hold(witness, "first") }
                let second = try await mesh.submit { try await blocker.hold(witness, "second") }
                let third = try await mesh.submit { try await blocker.count() }
                try await witness.wait(for: "first", count: 1)
                mesh.cancel(second)
                #expect(await codeThrown { try await second.value } == .cancelled)
                try await witness.reach("go")
                _ = try await first.value
                #expect(try await third.value == 1)
                #expect(try await witness.count(of: "second") == 0)
            }
        }

        @Test("a call made by a task that is cancelled already is cancelled too")
        func alreadyCancelled() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self)
                let task = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    try await blocker.hold(witness, "held")
                }
                await #expect(throws: (any Error).self) { try await task.value }
                #expect(try await blocker.count() == 1)
            }
        }

        @Test("cancelling one call leaves the next ones of its actor alone", arguments: 0..<3)
        func neighbours(round: Int) async throws {
            try await withFixtures { mesh in
                let critical = try await mesh.spawn(Critical.self)
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                var kept: [ObjectRef<Int>] = []
                var cancelled: [ObjectRef<Int>] = []
                for number in 0..<200 {
                    let ref = try await mesh.submit { try await critical.enter(number, witness) }
                    if number % 2 == 0 { kept.append(ref) } else { cancelled.append(ref) }
                }
                for ref in cancelled { mesh.cancel(ref) }
                for (index, ref) in kept.enumerated() { #expect(try await ref.value == index * 2) }
                #expect(try await critical.mostInside() == 1)
            }
        }

        @Test("a deadline ends the call here, and cancels it where it runs")
        func deadline() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self)
                let error = await #expect(throws: MeshError.self) {
                    try await mesh.withDeadline(.milliseconds(300)) {
                        try await blocker.waitForCancellation(witness, "held")
                    }
                }
                #expect(error?.code == .deadlineExceeded)
                #expect(error?.message.contains("Blocker.waitForCancellation") == true, "\(String(describing: error))")
                try await witness.wait(for: "held cancelled", count: 1)
                #expect(try await blocker.count() == 1)
            }
        }

        @Test("a deadline travels through three processes: the innermost call knows it")
        func deadlineTravels() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self)
                let relays = [try await mesh.spawn(Relay.self), try await mesh.spawn(Relay.self)]
                #expect(
                    await codeThrown {
                        try await mesh.withDeadline(.milliseconds(400)) {
                            try await relays[0].hold(through: [relays[1]], blocker, witness, "held")
                        }
                    } == .deadlineExceeded)
                try await witness.wait(for: "held failed", count: 1)
                #expect(try await blocker.count() == 1)
            }
        }

        @Test("the earlier of two deadlines holds, and its error passes through")
        func earlierHolds() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self)
                let relay = try await mesh.spawn(Relay.self)
                let start = ContinuousClock.now
                #expect(
                    await codeThrown {
                        try await mesh.withDeadline(.seconds(60)) {
                            try await relay.hold(blocker, witness, "held", milliseconds: 200)
                        }
                    } == .deadlineExceeded)
                #expect(ContinuousClock.now - start < .seconds(30))
            }
        }

        @Test("a call whose deadline passes while it waits never runs")
        func deadlineWaiting() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self)
                let first = try await mesh.submit { try await blocker.hold(witness, "first") }
                try await witness.wait(for: "first", count: 1)
                #expect(
                    await codeThrown {
                        try await mesh.withDeadline(.milliseconds(200)) { try await blocker.hold(witness, "second") }
                    } == .deadlineExceeded)
                try await witness.reach("go")
                _ = try await first.value
                #expect(try await blocker.count() == 1)
                #expect(try await witness.count(of: "second") == 0)
            }
        }
    }
}
