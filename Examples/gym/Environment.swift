import ActorMesh

/// A simulation that others act in, one step after another.
distributed actor Environment: RemoteActor {
    struct Outcome: Codable, Sendable {
        var state: CartPole.State
        /// One for each step that the pole is up.
        var reward: Double
        var isDone: Bool
    }

    static let longest = 500

    private var simulation = CartPole(seed: 0)
    private var steps = 0

    /// Begins anew.
    distributed func reset(seed: UInt64) -> CartPole.State {
        self.simulation = CartPole(seed: seed)
        self.steps = 0
        return self.simulation.state
    }

    /// - Throws: ``IsOver`` after the end.
    distributed func step(_ action: CartPole.Action) throws -> Outcome {
        guard !self.isDone else { throw IsOver(steps: self.steps) }
        self.simulation.step(action)
        self.steps += 1
        let state = self.simulation.state
        return Outcome(state: state, reward: state.isUp ? 1 : 0, isDone: self.isDone)
    }

    private var isDone: Bool { !self.simulation.state.isUp || self.steps == Self.longest }
}

/// The pole has fallen, or has been up for long enough: the environment has to be reset.
struct IsOver: Error, Codable {
    var steps: Int
}
