import ActorMesh

/// Where a worker is with its work.
enum Progress: String, Codable, Sendable {
    case pending = "PENDING"
    case running = "RUNNING"
    case done = "DONE"
}

/// Trains a model.
distributed actor Worker: RemoteActor {
    private var progress = Progress.pending

    /// While this suspends, calls of `state` are answered: the worker is spawned with room for two calls.
    distributed func work() async throws {
        self.progress = .running
        try await Task.sleep(for: .milliseconds(50))
        self.progress = .done
    }

    distributed func state() -> Progress { self.progress }
}

/// Has the workers, and is all that the driver knows of them.
distributed actor Trainers: Supervisor {
    static var supervision: Supervision { Supervision(strategy: .oneForOne) }

    private let workers: [Worker]

    init(actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        var workers: [Worker] = []
        for _ in 0..<3 {
            workers.append(try await actorSystem.spawn(Worker.self, options: ActorOptions(maxConcurrency: 2)))
        }
        self.workers = workers
    }

    /// Sets the workers to work, without waiting for them.
    distributed func work() async throws {
        for worker in self.workers { try await self.actorSystem.tell { try await worker.work() } }
    }

    distributed func states() async throws -> [Progress] {
        var states: [ObjectRef<Progress>] = []
        for worker in self.workers { states.append(try await self.actorSystem.submit { try await worker.state() }) }
        return try await self.actorSystem.get(states)
    }

    /// Ends the workers. A child that is killed is not started again.
    distributed func terminate() async throws {
        for worker in self.workers { try await self.actorSystem.kill(worker) }
    }
}

@main
struct SupervisorExample: MeshProgram {
    static func run(_ mesh: Mesh) async throws {
        let trainers = try await mesh.spawn(Trainers.self)
        print(try await states(of: trainers))
        try await trainers.work()
        while try await trainers.states().contains(where: { $0 != .done }) {
            try await Task.sleep(for: .milliseconds(10))
        }
        print(try await states(of: trainers))
        print("\(try await mesh.actors().count) actors")

        try await trainers.terminate()
        print("\(try await mesh.actors().count) actor after terminate")
        try await mesh.kill(trainers)
        print("\(try await mesh.actors().count) actors after kill")
    }

    static func states(of trainers: Trainers) async throws -> String {
        try await trainers.states().map(\.rawValue).joined(separator: ", ")
    }
}
