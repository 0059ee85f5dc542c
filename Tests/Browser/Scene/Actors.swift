import ActorMesh
import Glibc

/// Has pipelines, which have trainers.
distributed actor Coordinator: RemoteActor {
    private var pipelines: [Pipeline] = []

    init(actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        for name in ["images", "speech", "text"] {
            self.pipelines.append(
                try await actorSystem.spawn(
                    Pipeline.self, .init(name: name), options: .init(name: "\(name)-pipeline", placement: .shared)))
        }
    }

    distributed func isReady() -> Bool { true }
}

distributed actor Pipeline: RemoteActor {
    struct Arguments: Codable, Sendable { var name: String }

    private var trainers: [Trainer] = []

    init(_ arguments: Arguments, actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        for number in 0..<4 {
            self.trainers.append(
                try await actorSystem.spawn(
                    Trainer.self, options: .init(name: "\(arguments.name)-trainer-\(number)", placement: .shared)))
        }
    }
}

distributed actor Trainer: RemoteActor {
    init(actorSystem: Mesh) { self.actorSystem = actorSystem }
}

distributed actor ParameterServer: RemoteActor {
    init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Puts a large value into the store of its node.
    distributed func load() async throws -> ObjectRef<[UInt8]> {
        try await self.actorSystem.put([UInt8](repeating: 7, count: 24 << 20))
    }
}

/// Asks for CPUs of its node.
distributed actor Evaluator: RemoteActor {
    init(actorSystem: Mesh) { self.actorSystem = actorSystem }
}

/// Ends its process when it is told to.
distributed actor Crasher: RemoteActor {
    init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    distributed func processID() -> Int32 { getpid() }

    distributed func crash() {
        print("loading <script>alert('batch 17')</script>")
        print("Fatal error: index out of range in shard 3")
        fflush(nil)
        kill(getpid(), SIGKILL)
    }
}

/// One of very many.
distributed actor Cell: RemoteActor {
    init(actorSystem: Mesh) { self.actorSystem = actorSystem }
}

/// Runs until it is told to end.
struct Simulate: RemoteTask {
    var messages: MessageActor

    func run(on mesh: Mesh) async throws -> Done {
        try await self.messages.add("begun")
        while true { try await Task.sleep(for: .seconds(3600)) }
    }
}

/// Prints what it is told.
distributed actor Speaker: RemoteActor {
    init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    distributed func say(_ text: String) {
        print(text)
        fflush(nil)
    }
}
