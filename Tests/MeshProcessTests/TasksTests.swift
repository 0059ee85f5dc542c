import ActorMesh
import MeshFixtures
import MeshRuntime
import Testing

extension Processes {
    /// Tasks that are cancelled, that take too long, and that call whoever submitted them.
    @Suite struct TasksEnd {
        @Test("FIELD 2.8, cancel: a task that runs is told when its reference is cancelled")
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

        @Test("FIELD 2.8, cancel: a task that waits for its objects, and one that waits for a worker, never start")
        func cancelWaiting() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let never = try await mesh.submit { () async throws -> Cargo in
                    try await witness.wait(for: "never", count: 1)
                    return Cargo(name: "never")
                }
                let cpus = try #require(try await mesh.nodes().first?.resources.cpus)
                let all = TaskOptions(resources: Resources(cpus: cpus))
                let first = try await mesh.submit(Lingering(witness: witness), options: all)
                try await witness.wait(for: "started", count: 1)
                let second = try await mesh.submit(Lingering(witness: witness), options: all)
                let third = try await mesh.submit(SumCargo(never))
                mesh.cancel(second)
                mesh.cancel(third)
                #expect(await codeThrown { try await second.value } == .cancelled)
                #expect(await codeThrown { try await third.value } == .cancelled)
                try await witness.reach("go")
                #expect(try await first.value == 1)
                #expect(try await witness.count(of: "started") == 1)
                mesh.cancel(never)
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

        @Test("what would end a task that takes too long is gone when the task is done")
        func timersEnd() async throws {
            try await withFixtures { mesh in
                let options = TaskOptions(timeout: .seconds(3600))
                var refs: [ObjectRef<Cargo>] = []
                for _ in 0..<200 {
                    refs.append(try await mesh.submit(MakeCargo(seed: 1, bytes: 8), options: options))
                }
                for ref in refs { _ = try await ref.value }
                try await poll { mesh.timers.count < 100 }
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
