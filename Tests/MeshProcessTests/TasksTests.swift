import ActorMesh
import MeshFixtures
import Testing

extension Processes {
    /// Tasks that are cancelled, that take too long, and that call whoever submitted them.
    @Suite struct TasksEnd {
        @Test("a task that runs is told when its reference is cancelled")
        func cancelRunning() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let ref = try await mesh.submit(Lingering(witness: witness))
                try await witness.wait(for: "started", count: 1)
                mesh.cancel(ref)
                let error = await #expect(throws: MeshError.self) { try await ref.value }
                #expect(error?.code == .cancelled)
                try await witness.wait(for: "cancelled", count: 1)
            }
        }

        @Test("a task that takes longer than its timeout ends with deadlineExceeded, and is told")
        func timeout() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let ref = try await mesh.submit(
                    Lingering(witness: witness), options: TaskOptions(timeout: .milliseconds(700)))
                let error = await #expect(throws: MeshError.self) { try await ref.value }
                #expect(error?.code == .deadlineExceeded)
                try await witness.wait(for: "cancelled", count: 1)
            }
        }

        @Test("a task may call the actor that submitted it")
        func callsBack() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let foreman = try await mesh.spawn(Foreman.self, witness)
                try await foreman.begin(foreman)
                try await witness.wait(for: "reported", count: 1)
            }
        }
    }
}
