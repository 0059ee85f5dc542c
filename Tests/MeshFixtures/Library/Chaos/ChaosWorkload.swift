import MeshTesting

/// What a driver does with an actor: the same for the same seed.
package struct ChaosWorkload: Sendable {
    /// Some calls, one after the other without waiting for answers, and then a pause.
    package struct Burst: Sendable, Hashable {
        /// Whether each call writes.
        package var writes: [Bool]
        /// The pause.
        package var pause: Duration
    }

    private var random: SeededGenerator

    /// Begins a workload.
    package init(seed: UInt64) { self.random = SeededGenerator(seed: seed) }

    /// What comes next.
    package mutating func next() -> Burst {
        let count = Int.random(in: 1...8, using: &self.random)
        return Burst(
            writes: (0..<count).map { _ in Bool.random(using: &self.random) },
            pause: .milliseconds(Int.random(in: 5...60, using: &self.random)))
    }
}
