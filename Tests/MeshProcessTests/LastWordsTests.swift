import ActorMesh
import MeshFixtures
import Testing

extension Processes {
    /// What was published, one-way, by those who end in good order right behind it.
    @Suite struct LastWords {
        private static let rounds = 30
        private static let count = 20

        /// Has something announced so often, and waits for all of it.
        private func expect(
            _ other: String? = nil, on mesh: Mesh, _ round: @Sendable (Witness, Int) async throws -> Void
        ) async throws {
            var options = Witness.options
            options.name = "witness"
            let witness = try await mesh.spawn(Witness.self, options: options)
            for _ in 0..<Self.rounds { try await round(witness, Self.count) }
            var expected = ["announced": Self.rounds * Self.count]
            if let other { expected[other] = Self.rounds }
            for (words, count) in expected {
                try? await mesh.withDeadline(.seconds(60)) { try await witness.wait(for: words, count: count) }
                let heard = try await witness.count(of: words)
                #expect(heard == count, "\(words)")
            }
        }

        @Test("what a task told before it ended arrives, though its worker is ended for its GPU")
        func task() async throws {
            let cluster = try await Cluster(resources: ["--gpus", "1"])
            try await cluster.drive { mesh in
                let options = TaskOptions(resources: Resources(gpus: 1))
                try await self.expect(on: mesh) { witness, count in
                    let announcement = Announcement(to: witness, count: count)
                    let said = try await mesh.submit(announcement, options: options).value
                    #expect(said == count)
                }
            }
        }

        @Test("what an actor told before it was stopped arrives, and what it told while it cleaned up")
        func stopped() async throws {
            try await withFixtures { mesh in
                try await self.expect("cleaned up", on: mesh) { witness, count in
                    let herald = try await mesh.spawn(Herald.self, witness)
                    try await herald.announce(count)
                    try await mesh.stop(herald)
                }
            }
        }

        @Test("what an actor told before it ended itself arrives")
        func exited() async throws {
            try await withFixtures { mesh in
                try await self.expect("cleaned up", on: mesh) { witness, count in
                    let herald = try await mesh.spawn(Herald.self, witness)
                    try? await herald.announceAndExit(count)
                }
            }
        }

        @Test("what an actor told arrives though nobody has a handle to it any more")
        func released() async throws {
            try await withFixtures { mesh in
                try await self.expect("cleaned up", on: mesh) { witness, count in
                    try await mesh.spawn(Herald.self, witness).announce(count)
                }
            }
        }

        @Test("what an actor told arrives though its owner, a driver, has left")
        func ownerless() async throws {
            let cluster = try await Cluster()
            try await cluster.drive { mesh in
                try await self.expect("cleaned up", on: mesh) { witness, count in
                    try await cluster.drive { other in
                        let same = try await other.find(Witness.self, named: "witness")
                        try await other.spawn(Herald.self, same).announce(count)
                    }
                    withExtendedLifetime(witness) {}
                }
            }
        }

        @Test("what a driver told before it left arrives")
        func driver() async throws {
            let cluster = try await Cluster()
            try await cluster.drive { mesh in
                try await self.expect(on: mesh) { witness, count in
                    try await cluster.drive { other in
                        let same = try await other.find(Witness.self, named: "witness")
                        for _ in 0..<count { try await other.tell { try await same.reach("announced") } }
                    }
                    withExtendedLifetime(witness) {}
                }
            }
        }
    }
}
