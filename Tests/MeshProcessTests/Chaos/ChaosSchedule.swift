import MeshTesting

/// Who is killed and who is frozen, which hosts are cut off, and when: the same for the same seed.
struct ChaosSchedule: Sendable, Hashable {
    /// What happens to a process, or to a host.
    enum Action: Sendable, Hashable {
        /// `kill -9`.
        case kill
        /// `SIGSTOP`, and after a while `SIGCONT`.
        case freeze(Duration)
        /// Nothing comes through for a while, or not from or to the broker.
        case cut(Cut, Duration)
        /// What a host sends and gets is lost, comes twice, late and out of order for a while.
        case disturb(Duration)
    }

    /// To whom.
    enum Victim: Sendable, Hashable {
        /// One of the nodes.
        case node
        /// One of the workers of all nodes.
        case worker
        /// One of the hosts that nodes are on.
        case host
        /// The broker, which is started again at once.
        case broker
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
    ///
    /// - Parameter hosts: whether there are hosts that can be cut off, one at a time: one step in four does so, if it
    ///   can, for up to three lease times, and one in forty kills the broker.
    init(seed: UInt64, duration: Duration, leaseTime: Duration, hosts: Bool = false) {
        var random = SeededGenerator(seed: seed)
        var steps: [Step] = []
        var time = Duration.milliseconds(500)
        /// Until when a host is cut off.
        var isCutUntil = Duration.zero
        while time < duration {
            if hosts, let step = Self.hostStep(at: time, leaseTime, &isCutUntil, &random) {
                steps.append(step)
                time += .milliseconds(Int.random(in: 100...500, using: &random))
                continue
            }
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

    private static func hostStep(
        at time: Duration, _ leaseTime: Duration, _ isCutUntil: inout Duration, _ random: inout SeededGenerator
    ) -> Step? {
        let dice = Int.random(in: 0..<40, using: &random)
        let choice = Int.random(in: 0..<1000, using: &random)
        if dice == 39 { return Step(time: time, victim: .broker, choice: choice, action: .kill) }
        guard dice < 10, time >= isCutUntil else { return nil }
        // Half of them end about when leases do.
        let share = Bool.random(using: &random) ? 5...300 : 75...125
        let length = leaseTime * Int.random(in: share, using: &random) / 100
        // Those before it are healed at the latest by then.
        isCutUntil = time + length + .milliseconds(200)
        let cut = Cut.allCases.randomElement(using: &random) ?? .everything
        return Step(
            time: time, victim: .host, choice: choice,
            action: Bool.random(using: &random) ? .cut(cut, length) : .disturb(length))
    }
}
