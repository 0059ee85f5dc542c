import ActorMesh
import MeshFixtures
import MeshTesting
import Testing

extension Integration {
    @Suite("FIELD 2.8: wait, cancel, limits", .timeLimit(.minutes(10)))
    struct WaitTests {
        /// Three references, of which the third has an error and the first comes only when the witness has seen "go".
        private func withThree(
            _ body: @Sendable (Mesh, Witness, [ObjectRef<Int>]) async throws -> Void
        ) async throws {
            try await withTestMesh { test in
                let mesh = test.meshes[0]
                let witness = try await test.host(maxConcurrency: .max) { Witness(actorSystem: $0) }
                let late = try await mesh.submit {
                    try await witness.wait(for: "go", count: 1)
                    return 1
                }
                let there = try await mesh.put(2)
                let failed = try await mesh.submit { () async throws -> Int in throw Porter.Dropped() }
                try await body(mesh, witness, [late, there, failed])
            }
        }

        @Test(
            "FIELD 2.8, wait: both parts in the order of the input, a failed one is ready, and no more than were asked for"
        )
        func wait() async throws {
            try await self.withThree { mesh, witness, refs in
                let one = try await mesh.wait(refs)
                #expect(one.ready == [refs[1]] && one.pending == [refs[0], refs[2]])
                let two = try await mesh.wait(refs, count: 2)
                #expect(two.ready == [refs[1], refs[2]] && two.pending == [refs[0]])
                let late = try await mesh.wait(refs, count: 3, timeout: .milliseconds(20))
                #expect(late.ready == [refs[1], refs[2]] && late.pending == [refs[0]])
                let now = try await mesh.wait([refs[0]], timeout: .zero)
                #expect(now.ready.isEmpty && now.pending == [refs[0]])
                try await witness.reach("go")
                let all = try await mesh.wait(refs, count: 3)
                #expect(all.ready == refs && all.pending.isEmpty)
                await #expect(throws: Porter.Dropped.self) { try await mesh.get(refs) }
                #expect(try await mesh.get([refs[1], refs[0], refs[1]]) == [2, 1, 2])
            }
        }

        @Test("FIELD 2.8, wait: nothing to wait for is no error; duplicates, none, too many and a negative time are")
        func badWaits() async throws {
            try await self.withThree { mesh, witness, refs in
                let nothing = try await mesh.wait([ObjectRef<Int>]())
                #expect(nothing.ready.isEmpty && nothing.pending.isEmpty)
                for (refs, count, timeout) in [
                    ([refs[1], refs[1]], 1, nil), (refs, 0, nil), (refs, -1, nil), (refs, 4, nil),
                    (refs, 1, .seconds(-1)),
                ] as [([ObjectRef<Int>], Int, Duration?)] {
                    let error = await #expect(throws: MeshError.self) {
                        try await mesh.wait(refs, count: count, timeout: timeout)
                    }
                    #expect(error?.code == .invalidArgument)
                }
                try await witness.reach("go")
            }
        }

        @Test("FIELD 2.8, cancel: what runs is told, its reference has the error, and what is there stays")
        func cancel() async throws {
            try await self.withThree { mesh, _, refs in
                // Whoever only waits may be cancelled without the work.
                let waiting = Task { try await mesh.wait([refs[0]]) }
                waiting.cancel()
                let end = await #expect(throws: MeshError.self) { try await waiting.value }
                #expect(end?.code == .cancelled)
                mesh.cancel(refs[0])
                let error = await #expect(throws: MeshError.self) { try await refs[0].value }
                #expect(error?.code == .cancelled)
                mesh.cancel(refs[1])
                let value = try await refs[1].value
                #expect(value == 2)
            }
        }

        @Test("FIELD 2.8, max_pending_calls: it counts for each caller and actor, however many handles there are")
        func pendingCalls() async throws {
            try await withTestMesh(settings: MeshSettings(maxPendingCalls: 2)) { test in
                let mesh = test.meshes[0]
                let witness = try await test.host(maxConcurrency: .max) { Witness(actorSystem: $0) }
                let waiter = try await test.host(in: 1) { Porter(actorSystem: $0) }
                let same = try test.handle(to: waiter, seenFrom: 0)
                let held = try await mesh.submit { try await waiter.wait(for: "go", at: witness, then: 1) }
                let next = try await mesh.submit { try await same.carry(2) }
                for handle in [waiter, same] {
                    let error = await #expect(throws: MeshError.self) {
                        try await mesh.tell(backPressure: .failFast) { try await handle.carry(3) }
                    }
                    #expect(error?.code == .tooManyPendingCalls)
                }
                try await witness.reach("go")
                #expect(try await mesh.get([held, next]) == [1, 2])
            }
        }
    }
}

extension Integration {
    @Suite("References that cannot be had", .timeLimit(.minutes(10)))
    struct BadReferencesTests {
        @Test("a reference of another mesh is not passed on, and says so")
        func otherMesh() async throws {
            try await withTestMesh { one in
                try await withTestMesh { two in
                    let foreign = try await one.meshes[0].put(1)
                    let taken = try one.meshes[1].decode(
                        ObjectRef<Int>.self, from: try one.meshes[0].encode(foreign), what: "a reference")
                    for ref in [foreign, taken] {
                        let error = #expect(throws: MeshError.self) { try two.meshes[0].encode(ref) }
                        #expect(error?.code == .invalidArgument)
                        #expect(error?.message.contains("another mesh") == true)
                    }
                    #expect(try await taken.value == 1)
                }
            }
        }

        @Test("a reference to what was freed is objectLost", arguments: [10, 1 << 20])
        func freed(bytes: Int) async throws {
            try await withTestMesh { test in
                let (one, other) = (test.meshes[0], test.meshes[1])
                let encoded = try one.encode(try await one.put(Cargo.sample(1, bytes: bytes)))
                // The broker says that nobody holds it.
                for id in encoded.objects { one.objects.ended(id, reason: "Nobody holds it.") }
                for mesh in [one, other] {
                    let late = try mesh.decode(ObjectRef<Cargo>.self, from: encoded, what: "a reference")
                    let error = await #expect(throws: MeshError.self) { try await late.value }
                    #expect(error?.code == .objectLost)
                }
            }
        }
    }
}
