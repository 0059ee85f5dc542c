import ActorMesh
import StreamFixtureActors
import Testing

extension Streams {
    @Suite("Credit for one-way messages", .timeLimit(.minutes(10)))
    struct CreditTests {
        @Test("messages that run side by side and end out of order give their room back all the same")
        func outOfOrder() async throws {
            try await withFixtureMesh { mesh in
                let gate = try await mesh.spawn(Gate.self, options: .init(maxConcurrency: 100, maxPendingCalls: 8))
                let opener = try await mesh.spawn(Sender.self)
                // Every second message asks for credit, and ends before those that wait at the gate.
                for _ in 0..<7 {
                    try await mesh.tell { try await gate.wait() }
                    try await mesh.tell { try await gate.pass() }
                }
                try await opener.open(gate)
                for _ in 0..<20 { try await mesh.tell { try await gate.pass() } }
            }
        }
    }
}
