import ActorMesh
import SeededRandom

/// Plays some episodes in an environment whose handle it was given, and adds up their rewards.
struct Play: RemoteTask {
    var environment: Environment
    var policy: Policy
    var seeds: Range<UInt64>

    func run(on mesh: Mesh) async throws -> Double {
        var total = 0.0
        for seed in self.seeds {
            var state = try await self.environment.reset(seed: seed)
            var isDone = false
            while !isDone {
                let outcome = try await self.environment.step(self.policy.action(in: state))
                (state, isDone) = (outcome.state, outcome.isDone)
                total += outcome.reward
            }
        }
        return total
    }
}

@main
struct Gym: MeshProgram {
    static let episodes: Range<UInt64> = 0..<3

    static func run(_ mesh: Mesh) async throws {
        var environments: [Environment] = []
        for _ in 0..<4 { environments.append(try await mesh.spawn(Environment.self)) }

        // A step, as any call of an actor.
        _ = try await environments[0].reset(seed: 1)
        let outcome = try await environments[0].step(.right)
        print("one step: reward \(outcome.reward), done \(outcome.isDone)")

        // Four policies play side by side, each in an environment of its own; the best one is varied.
        var random = SeededRandom(seed: 1983)
        var best = Policy(using: &random)
        var bestReward = try await rewards(of: [best], in: environments, on: mesh)[0]
        print("some policy: up for \(mean(bestReward)) steps")
        for round in 1...20 where bestReward < goal {
            let policies = environments.map { _ in best.varied(by: 0.5, using: &random) }
            let rewards = try await rewards(of: policies, in: environments, on: mesh)
            for (policy, reward) in zip(policies, rewards) where reward > bestReward {
                (best, bestReward) = (policy, reward)
            }
            print("round \(round): up for \(mean(bestReward)) steps")
        }
    }

    static var goal: Double { Double(Self.episodes.count * Environment.longest) }

    static func mean(_ reward: Double) -> Int { Int(reward) / Self.episodes.count }

    static func rewards(
        of policies: [Policy], in environments: [Environment], on mesh: Mesh
    ) async throws -> [Double] {
        var plays: [ObjectRef<Double>] = []
        for (policy, environment) in zip(policies, environments) {
            let play = Play(environment: environment, policy: policy, seeds: Self.episodes)
            plays.append(try await mesh.submit(play))
        }
        return try await mesh.get(plays)
    }
}
