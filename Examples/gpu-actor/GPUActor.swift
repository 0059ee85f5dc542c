import ActorMesh
import SeededRandom

/// Has a network, which it trains, and asks after digits.
distributed actor DigitReader: RemoteActor {
    private let training: Digits
    private var network = Network(seed: 1)
    private var random = SeededRandom(seed: 2)

    /// Reads the pictures, which lie in memory that all processes of the host share.
    init(_ training: ObjectRef<Digits>, actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        self.training = try await training.value
    }

    /// So many steps, each with a picture drawn by chance.
    distributed func train(steps: Int) {
        for _ in 0..<steps {
            let index = self.random.below(self.training.labels.count)
            self.network.learn(self.training.pictures[index], is: self.training.labels[index], rate: 0.05)
        }
    }

    /// The part of the pictures that it reads well.
    distributed func accuracy(on test: Digits) -> Double {
        let right = zip(test.pictures, test.labels).count { self.network.digit(in: $0) == $1 }
        return Double(right) / Double(test.labels.count)
    }
}

@main
struct GPUActor: MeshProgram {
    static func run(_ mesh: Mesh) async throws {
        let training = try await mesh.put(Digits(count: 2000, seed: 3))
        let test = Digits(count: 500, seed: 4)

        let reader = try await reader(training, on: mesh)
        for _ in 0..<4 {
            try await reader.train(steps: 2000)
            let accuracy = try await reader.accuracy(on: test)
            print("accuracy \((accuracy * 100).rounded() / 100)")
        }
    }

    /// On a node that has a GPU, if there is one, and else on any: that none could ever have it is said at once.
    static func reader(_ training: ObjectRef<Digits>, on mesh: Mesh) async throws -> DigitReader {
        do {
            let options = ActorOptions(resources: Resources(gpus: 1))
            let reader = try await mesh.spawn(DigitReader.self, training, options: options)
            print("with a GPU")
            return reader
        } catch let error as MeshError where error.code == .insufficientResources {
            print("on the CPU: no node has a GPU")
            return try await mesh.spawn(DigitReader.self, training)
        }
    }
}
