import ActorMesh
import MeshCore
import MeshFixtures
import Testing

extension Processes {
    /// C5: a circle of calls that wait for each other is reported with its path.
    @Suite("C5: deadlocks") struct Deadlocks {
        @Test("A calls B, which calls A: the path is in the error, and both work afterwards")
        func twoActors() async throws {
            try await withFixtures { mesh in
                let a = try await mesh.spawn(Circle.self, options: .init(name: "a"))
                let b = try await mesh.spawn(Circle.self, options: .init(name: "b"))
                let error = await #expect(throws: MeshError.self) { try await a.pass(through: [b, a]) }
                #expect(error?.code == .deadlock)
                // Who waits for whom, in the order of the calls.
                let message = error?.message ?? ""
                #expect(message.contains("\"a\""), "\(message)")
                let path =
                    "Circle.pass(through:) of \(a.id.uniqueID.short) → "
                    + "Circle.pass(through:) of \(b.id.uniqueID.short) → Circle.pass(through:)"
                #expect(message.contains(path), "\(message)")
                #expect(try await a.pass(through: [b]) == 2)
                #expect(try await b.pass(through: [a]) == 2)
            }
        }

        @Test("FIELD 2.8: an actor that calls itself by handle is told so")
        func itself() async throws {
            try await withFixtures { mesh in
                let a = try await mesh.spawn(Circle.self)
                #expect(await codeThrown { try await a.pass(through: [a]) } == .deadlock)
                #expect(try await a.pass(through: []) == 1)
            }
        }

        @Test("a circle of four actors is found too, and a long chain that is none is not")
        func long() async throws {
            try await withFixtures { mesh in
                var circle: [Circle] = []
                for _ in 0..<4 { circle.append(try await mesh.spawn(Circle.self, options: .init(placement: .shared))) }
                let path = Array(circle.dropFirst()) + [circle[1]]
                #expect(await codeThrown { try await circle[0].pass(through: path) } == .deadlock)
                #expect(try await circle[0].pass(through: Array(circle.dropFirst())) == 4)
            }
        }

        @Test("one-way messages in a circle are no deadlock")
        func oneWay() async throws {
            try await withFixtures { mesh in
                let a = try await mesh.spawn(Circle.self)
                let b = try await mesh.spawn(Circle.self)
                try await a.tell(through: [b, a])
                // The message comes back after the call has ended; the count is asked for until it has.
                try await poll { try await a.count() == 2 }
            }
        }

        @Test("an actor whose calls may run side by side can be called back")
        func interleaving() async throws {
            try await withFixtures { mesh in
                let a = try await mesh.spawn(Circle.self, options: .init(maxConcurrency: 2))
                let b = try await mesh.spawn(Circle.self)
                #expect(try await a.pass(through: [b, a]) == 3)
            }
        }

        @Test("a chain of more calls than can travel is refused, not lost")
        func tooLong() async throws {
            try await withFixtures { mesh in
                let a = try await mesh.spawn(Circle.self, options: .init(maxConcurrency: 1000))
                #expect(try await a.pass(through: Array(repeating: a, count: 200)) == 201)
                #expect(await codeThrown { try await a.pass(through: Array(repeating: a, count: 300)) } == .deadlock)
            }
        }

        @Test("an initialiser may spawn actors, and so may their methods")
        func spawning() async throws {
            try await withFixtures { mesh in
                let parent = try await mesh.spawn(Parent.self)
                let grown = try await parent.grow()
                #expect(try await grown.count() == 1)
                #expect(try await parent.family().count == 2)
            }
        }
    }
}
