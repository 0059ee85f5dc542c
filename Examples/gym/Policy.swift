import SeededRandom

/// Pushes towards where a weighted sum of the state says.
struct Policy: Codable, Sendable {
    private var weights: [Double]

    /// Some policy.
    init(using random: inout SeededRandom) {
        self.weights = (0..<4).map { _ in random.uniform(-1, 1) }
    }

    /// One that differs a little from this.
    func varied(by amount: Double, using random: inout SeededRandom) -> Policy {
        var policy = self
        for index in self.weights.indices { policy.weights[index] += random.uniform(-amount, amount) }
        return policy
    }

    func action(in state: CartPole.State) -> CartPole.Action {
        let sum =
            self.weights[0] * state.position + self.weights[1] * state.velocity + self.weights[2] * state.angle
            + self.weights[3] * state.angularVelocity
        return sum < 0 ? .left : .right
    }
}
