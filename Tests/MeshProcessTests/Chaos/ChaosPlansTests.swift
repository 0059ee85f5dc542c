import MeshFixtures
import Testing

/// What a seed decides.
@Suite struct ChaosPlansTests {
    @Test("the same seed gives the same schedule, another one another")
    func schedule() {
        func schedule(_ seed: UInt64) -> ChaosSchedule {
            ChaosSchedule(seed: seed, duration: .seconds(60), leaseTime: .seconds(1))
        }
        #expect(schedule(1) == schedule(1))
        #expect(schedule(1) != schedule(2))
        let steps = schedule(1).steps
        #expect(steps.map(\.time) == steps.map(\.time).sorted())
        #expect(steps.allSatisfy { $0.time < .seconds(60) })
        #expect(steps.contains { $0.victim == .node && $0.action == .kill })
        #expect(steps.contains { $0.victim == .worker && $0.action == .kill })
        #expect(
            steps.contains { step in
                if case .freeze(let duration) = step.action { duration > .seconds(1) } else { false }
            })
    }

    @Test("with hosts, they are cut off one at a time, and everything else happens too")
    func hosts() {
        let steps = ChaosSchedule(seed: 1, duration: .seconds(120), leaseTime: .seconds(1), hosts: true).steps
        #expect(steps.map(\.time) == steps.map(\.time).sorted())
        var end = Duration.zero
        var cuts: Set<Cut> = []
        for step in steps where step.victim == .host {
            #expect(step.time > end)
            switch step.action {
            case .cut(let cut, let duration):
                cuts.insert(cut)
                end = step.time + duration
            case .disturb(let duration): end = step.time + duration
            case .kill, .freeze: Issue.record("a host is no process")
            }
        }
        #expect(cuts == Set(Cut.allCases))
        for victim in [ChaosSchedule.Victim.broker, .node, .worker] {
            #expect(steps.contains { $0.victim == victim && $0.action == .kill })
        }
    }

    @Test("the same seed gives the same calls")
    func workload() {
        func bursts(_ seed: UInt64) -> [ChaosWorkload.Burst] {
            var workload = ChaosWorkload(seed: seed)
            return (0..<100).map { _ in workload.next() }
        }
        #expect(bursts(1) == bursts(1))
        #expect(bursts(1) != bursts(2))
        #expect(bursts(1).allSatisfy { !$0.writes.isEmpty && $0.pause > .zero })
    }
}
