import ActorMesh
import MeshFixtures
import Testing

extension Processes {
    /// C1: an actor runs one call to its end, awaits included, before the next starts.
    @Suite("C1: one at a time") struct CallsOneAtATime {
        @Test("calls from several tasks never overlap, although each suspends")
        func awaitsIncluded() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let critical = try await mesh.spawn(Critical.self)
                let results = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<100 { group.addTask { try await critical.enter(number, witness) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(Set(results) == Set(0..<100))
                #expect(results.count == 100)
                #expect(try await critical.mostInside() == 1)
                // Each went in and came out before the next one went in.
                let trace = try await critical.trace()
                #expect(trace.count == 200)
                for index in stride(from: 0, to: trace.count - 1, by: 2) { #expect(trace[index] == trace[index + 1]) }
                #expect(try await witness.count(of: "inside") == 100)
            }
        }

        @Test("with a maxConcurrency of 3, three calls run side by side and a fourth waits")
        func optsOut() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let critical = try await mesh.spawn(Critical.self, options: .init(maxConcurrency: 3))
                var refs: [ObjectRef<Done>] = []
                for _ in 0..<4 { refs.append(try await mesh.submit { try await critical.enterAndWait(witness) }) }
                try await witness.wait(for: "waiting inside", count: 3)
                #expect(try await witness.count(of: "waiting inside") == 3)
                try await witness.reach("go")
                for ref in refs { _ = try await ref.value }
                #expect(try await witness.count(of: "waiting inside") == 4)
                #expect(try await critical.mostInside() == 3)
            }
        }
    }
}
