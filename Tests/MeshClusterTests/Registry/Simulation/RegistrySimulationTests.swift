import FoundationEssentials
import Testing

/// Runs the registry in a world that happens by a seed; see ``World``.
///
/// `MESH_SIMULATION=12345` runs one seed and prints its history; `MESH_SIMULATION=0..<1000000` runs many.
@Suite("The registry in a world of misfortune")
struct RegistrySimulationTests {
    @Test(
        "what must hold does, whoever crashes, freezes, leaves, lets go and waits", arguments: [false, true],
        [false, true])
    func simulate(brokerCrashes: Bool, scarcity: Bool) {
        var rules = World.Rules()
        rules.brokerCrashes = brokerCrashes
        rules.scarcity = scarcity
        let wanted = Self.wanted ?? 0..<60
        for seed in wanted {
            guard let failure = Self.firstFailure(seed: seed, rules: rules) else { continue }
            Issue.record("seed \(seed) (broker crashes: \(brokerCrashes), scarcity: \(scarcity)): \(failure)")
            break
        }
    }

    private static var wanted: Range<UInt64>? {
        guard let text = ProcessInfo.processInfo.environment["MESH_SIMULATION"] else { return nil }
        let parts = text.split(separator: "..<").compactMap { UInt64($0) }
        return parts.count == 2 ? parts[0]..<parts[1] : parts.first.map { $0..<($0 + 1) }
    }

    private static func run(seed: UInt64, rules: World.Rules, isRecording: Bool = false) -> World {
        var world = World(seed: seed, rules: rules, isRecording: isRecording)
        while world.truth.violations.isEmpty, world.actionsLeft > 0, world.step(until: .max) { world.check() }
        if world.truth.violations.isEmpty { world.settleDown() }
        return world
    }

    /// What is wrong in the shortest beginning of a run that fails, with its history; nil when all is well.
    private static func firstFailure(seed: UInt64, rules: World.Rules) -> String? {
        guard !self.run(seed: seed, rules: rules).truth.violations.isEmpty else { return nil }
        var rules = rules
        let shorter = (1..<rules.actions).first { actions in
            var rules = rules
            rules.actions = actions
            return !self.run(seed: seed, rules: rules).truth.violations.isEmpty
        }
        rules.actions = shorter ?? rules.actions
        let world = self.run(seed: seed, rules: rules, isRecording: true)
        let history = world.history?.joined(separator: "\n") ?? ""
        return "after \(rules.actions) actions\n\(world.truth.violations.joined(separator: "\n"))\n\(history)"
    }
}
