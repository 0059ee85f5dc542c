import ActorMesh
import FoundationEssentials

/// Reads shards and says for each ride whether it will end with a tip.
distributed actor Predictor: RemoteActor {
    private let model: TipModel

    /// Fetches the model once, for all shards that this actor will be given.
    init(_ model: ObjectRef<TipModel>, actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        self.model = try await model.value
    }

    distributed func predict(_ path: String) throws -> [Bool] {
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        guard lines.first ?? "" == Ride.header else { throw BadShard(path: path, line: 1) }
        return try lines.enumerated().dropFirst().map { number, line in
            guard let ride = Ride(line: line) else { throw BadShard(path: path, line: number + 1) }
            return self.model.expectsTip(ride)
        }
    }
}

/// A shard has a line that is no ride.
struct BadShard: Error, Codable {
    var path: String
    var line: Int
}

/// The mesh has found something else than this process by itself.
struct Differs: Error {
    var shard: Int
}

@main
struct BatchInference: MeshProgram {
    static let actors = 6
    static let shards = 12

    static func run(_ mesh: Mesh) async throws {
        let model = TipModel(seed: 1)
        let ref = try await mesh.put(model)
        let pool = try await ActorPool(count: Self.actors) { try await mesh.spawn(Predictor.self, ref) }

        try await withShards(Self.shards) { shards in
            for shard in shards.paths.enumerated() {
                pool.submit(shard) { predictor, shard in
                    (shard: shard.offset, tips: try await predictor.predict(shard.element))
                }
            }
            // As they come, which is not the same order each time.
            var predictions: [Int: [Bool]] = [:]
            while pool.hasNext {
                let next = try await pool.nextUnordered(as: (shard: Int, tips: [Bool]).self)
                predictions[next.shard] = next.tips
            }
            for (shard, rides) in shards.rides.enumerated() {
                guard let tips = predictions[shard], tips == rides.map(model.expectsTip) else {
                    throw Differs(shard: shard)
                }
                print("shard \(shard): \(tips.count) rides, \(tips.count(where: { $0 })) with a tip")
            }
            let all = predictions.values.joined()
            print("\(all.count) rides, \(all.count(where: { $0 })) with a tip, each as without the mesh")
        }
    }
}
