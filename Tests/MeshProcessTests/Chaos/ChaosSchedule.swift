import MeshTesting

/// Who is killed and who is frozen, and when: the same for the same seed.
struct ChaosSchedule: Sendable, Hashable {
    /// What happens to a process.
    enum Action: Sendable, Hashable {
        /// `kill -9`.
        case kill
        /// `SIGSTOP`, and after a while `SIGCONT`.
        case freeze(Duration)
    }

    /// To whom.
    enum Victim: Sendable, Hashable {
        /// One of the nodes.
        case node
        /// One of the workers of all nodes.
        case worker
    }

    /// One thing that happens.
    struct Step: Sendable, Hashable {
        /// When, from the beginning.
        var time: Duration
        var victim: Victim
        /// Which of those that are there then, modulo their number.
        var choice: Int
        var action: Action
    }

    let steps: [Step]

    /// One step each 100 to 500 ms; one in eight is for a node, and one in three freezes, for up to three lease times.
    init(seed: UInt64, duration: Duration, leaseTime: Duration) {
        var random = SeededGenerator(seed: seed)
        var steps: [Step] = []
        var time = Duration.milliseconds(500)
        while time < duration {
            let freeze = leaseTime * Int.random(in: 5...300, using: &random) / 100
            steps.append(
                Step(
                    time: time, victim: Int.random(in: 0..<8, using: &random) == 0 ? .node : .worker,
                    choice: Int.random(in: 0..<1000, using: &random),
                    action: Int.random(in: 0..<3, using: &random) == 0 ? .freeze(freeze) : .kill))
            time += .milliseconds(Int.random(in: 100...500, using: &random))
        }
        self.steps = steps
    }
}
