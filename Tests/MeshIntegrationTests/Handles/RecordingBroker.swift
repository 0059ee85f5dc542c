import ActorMesh
import MeshCore
import MeshRuntime
import MeshTesting
import Synchronization

/// Counts who holds which actor as a broker does, and remembers what no actor may ever be: unheld before its time.
final class RecordingBroker: Sendable {
    private struct State {
        var counted: [UniqueID: [PeerID: Int]] = [:]
        var unheld: [UniqueID] = []
        var ended: [UniqueID: String] = [:]
        var reports: [PeerID: Int] = [:]
        var excess = 0
        var isAway = false
        var waiters: [(isSo: (State) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
        var away: [CheckedContinuation<Void, Never>] = []
    }

    // `@unchecked`: what waits is in here too, with closures that stay inside of the lock.
    private final class Box: @unchecked Sendable { var state = State() }
    private let lock = Mutex(Box())

    private func withState<Result>(_ body: (inout State) -> Result) -> Result {
        var due: [CheckedContinuation<Void, Never>] = []
        let result = self.lock.withLock { box -> UncheckedBox<Result> in
            let result = body(&box.state)
            due = box.state.waiters.filter { $0.isSo(box.state) }.map(\.continuation)
            let state = box.state
            box.state.waiters.removeAll { $0.isSo(state) }
            return UncheckedBox(value: result)
        }
        for continuation in due { continuation.resume() }
        return result.value
    }

    private struct UncheckedBox<Value>: @unchecked Sendable { var value: Value }

    // MARK: What a test sees

    /// The processes that hold an actor.
    func holders(of actor: UniqueID) -> Set<PeerID> { self.withState { Set($0.counted[actor, default: [:]].keys) } }

    /// Suspends until exactly these hold an actor.
    func wait(for actor: UniqueID, heldBy peers: Set<PeerID>) async {
        await self.wait { Set($0.counted[actor, default: [:]].keys) == peers }
    }

    /// Suspends until an actor was held and is not any more.
    func wait(unheld actor: UniqueID) async { await self.wait { $0.unheld.contains(actor) } }

    /// How often a process is counted for an actor.
    func grants(of actor: UniqueID, to peer: PeerID) -> Int { self.withState { $0.counted[actor]?[peer] ?? 0 } }

    /// Suspends until a process has reported so often.
    func wait(for peer: PeerID, reports: Int) async { await self.wait { $0.reports[peer, default: 0] >= reports } }

    private func wait(_ isSo: @escaping (State) -> Bool) async {
        await withCheckedContinuation { continuation in
            self.withState { $0.waiters.append((isSo, continuation)) }
        }
    }

    /// How often an actor was held by nobody any more.
    func timesUnheld(_ actor: UniqueID) -> Int { self.withState { state in state.unheld.count { $0 == actor } } }

    /// How many grants were given back that had not been given.
    var excess: Int { self.withState { $0.excess } }

    func reports(of peer: PeerID) -> Int { self.withState { $0.reports[peer, default: 0] } }

    // MARK: What a test does

    /// The broker goes away; it forgets everything, if it is told to.
    func goAway(forgetting: Bool = false) {
        self.withState { state in
            state.isAway = true
            if forgetting { state.counted = [:] }
        }
    }

    func comeBack() {
        let away = self.withState { state in
            state.isAway = false
            defer { state.away = [] }
            return state.away
        }
        for continuation in away { continuation.resume() }
    }

    /// Counts a process for a handle that it is about to be given.
    func grant(_ actor: UniqueID, to peer: PeerID) {
        self.withState { $0.counted[actor, default: [:]][peer, default: 0] += 1 }
    }

    /// From now on the actor has ended for good.
    func end(_ actor: UniqueID, because reason: String) { self.withState { $0.ended[actor] = reason } }

    /// A process is gone, with all that it held.
    func lose(_ peer: PeerID) {
        self.withState { state in
            for actor in state.counted.keys { Self.count(actor, of: peer, as: 0, &state) }
        }
    }

    // MARK: The broker's side

    private static func count(_ actor: UniqueID, of peer: PeerID, as grants: Int, _ state: inout State) {
        guard state.counted[actor]?[peer] != nil || grants > 0 else { return }
        state.counted[actor, default: [:]][peer] = grants > 0 ? grants : nil
        if state.counted[actor]?.isEmpty == true {
            state.counted[actor] = nil
            state.unheld.append(actor)
        }
    }

    fileprivate func take(_ changes: HoldChanges, of peer: PeerID) -> [EndedActor] {
        self.withState { state in
            state.reports[peer, default: 0] += 1
            for actor in changes.acquired {
                let before = changes.isComplete ? 0 : state.counted[actor]?[peer] ?? 0
                Self.count(actor, of: peer, as: before + 1, &state)
            }
            for released in changes.released {
                let left = (state.counted[released.actor]?[peer] ?? 0) - released.grants
                if left < 0 { state.excess += 1 }
                Self.count(released.actor, of: peer, as: left, &state)
            }
            if changes.isComplete {
                let held = Set(changes.acquired)
                for actor in state.counted.keys where !held.contains(actor) {
                    Self.count(actor, of: peer, as: 0, &state)
                }
            }
            return changes.acquired.compactMap { actor in
                state.ended[actor].map { EndedActor(actor: actor, reason: $0) }
            }
        }
    }

    fileprivate func waitUntilBack() async {
        while self.withState({ $0.isAway }) {
            await withCheckedContinuation { continuation in
                let isAway = self.withState { state in
                    if state.isAway { state.away.append(continuation) }
                    return state.isAway
                }
                if !isAway { continuation.resume() }
            }
        }
    }

    /// What a process of the mesh knows of the broker.
    func directory(of mesh: Mesh) -> any MeshDirectory { Directory(broker: self, peer: mesh.address.peer) }

    private struct Directory: MeshDirectory {
        let broker: RecordingBroker
        let peer: PeerID

        func locate(_ actor: UniqueID, after: UInt64, hasEnded: Bool) async throws(MeshError) -> ActorLocation {
            throw MeshError(.actorDied, "This broker restarts nothing.")
        }

        func report(_ changes: HoldChanges) async throws(MeshError) -> [EndedActor] {
            await self.broker.waitUntilBack()
            return self.broker.take(changes, of: self.peer)
        }
    }
}

/// Runs a test on several parts of a mesh whose handles are counted.
func withCountedMesh<Result: Sendable>(
    _ form: TestMesh.Form = .inProcess, parts: Int = 3, settings: MeshSettings = MeshSettings(),
    hosts: [String]? = nil, faults: Faults = .none,
    seed: UInt64 = 0, _ body: @Sendable (TestMesh, RecordingBroker) async throws -> Result
) async throws -> Result {
    try await withTestMesh(form, parts: parts, settings: settings, hosts: hosts, faults: faults, seed: seed) { test in
        let broker = RecordingBroker()
        for mesh in test.meshes { mesh.directory.withLock { $0 = broker.directory(of: mesh) } }
        return try await body(test, broker)
    }
}

extension TestMesh {
    func peers(_ parts: Int...) -> Set<PeerID> { Set(parts.map { self.meshes[$0].address.peer }) }
}
