import ActorMesh
import SeededRandom

/// Has the weights, and takes in gradients from whoever has one, in the order in which they come.
distributed actor ParameterServer: RemoteActor {
    private var network: Network
    private var pushes = 0

    init(_ network: Network, actorSystem: Mesh) {
        self.actorSystem = actorSystem
        self.network = network
    }

    /// Descends, and gives out the network as it is then: others may have pushed since the gradient was made.
    distributed func push(_ gradient: [Double]) -> Network {
        self.network.descend(gradient, rate: 0.3)
        self.pushes += 1
        return self.network
    }

    distributed func current() -> Network { self.network }

    distributed func count() -> Int { self.pushes }
}

/// Pushes the gradients of its part of the samples, without waiting for the other workers.
struct Worker: RemoteTask {
    var server: ParameterServer
    var samples: ObjectRef<[Sample]>
    var part: Int
    var parts: Int
    var gradients: Int

    func run(on mesh: Mesh) async throws -> Done {
        let own = try await self.samples.value.enumerated().filter { $0.offset % self.parts == self.part }
        var random = SeededRandom(seed: UInt64(self.part))
        var network = try await self.server.current()
        for _ in 0..<self.gradients {
            let batch = (0..<32).map { _ in own[random.below(own.count)].element }
            network = try await self.server.push(network.gradient(on: batch))
        }
        return Done()
    }
}

@main
struct Training: MeshProgram {
    static let help = "Trains a network asynchronously.\n\n  --losses  print the loss every tenth of a second"
    static let workers = 4
    static let gradients = 1500

    static func run(_ mesh: Mesh) async throws {
        let server = try await mesh.spawn(ParameterServer.self, Network(seed: 1))
        let training = try await mesh.put(samples(4000, seed: 2))
        let test = samples(1000, seed: 3)
        let untrained = try await server.current()
        print("loss \(hundredths(untrained.loss(on: test))), accuracy \(hundredths(untrained.accuracy(on: test)))")

        var workers: [ObjectRef<Done>] = []
        for part in 0..<Self.workers {
            let worker = Worker(
                server: server, samples: training, part: part, parts: Self.workers, gradients: Self.gradients)
            workers.append(try await mesh.submit(worker))
        }
        var working = workers
        while !working.isEmpty {
            (_, working) = try await mesh.wait(working, count: working.count, timeout: .milliseconds(100))
            if CommandLine.arguments.contains("--losses") { print(try await server.current().loss(on: test)) }
        }
        _ = try await mesh.get(workers)
        print("\(try await server.count()) gradients from \(Self.workers) workers")

        // In which order they came, and so the exact loss, differs from run to run.
        let trained = try await server.current()
        let (loss, accuracy) = (trained.loss(on: test), trained.accuracy(on: test))
        guard loss < 0.22, accuracy > 0.92 else { throw NotLearned(loss: loss, accuracy: accuracy) }
        print("loss below 0.22, accuracy above 0.92")
    }

    static func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}

/// The network is not as good as it should be after so many gradients.
struct NotLearned: Error {
    var loss: Double
    var accuracy: Double
}
