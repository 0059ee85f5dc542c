import Distributed
import Synchronization

@testable import MeshRuntime

/// Counts, and does not forget.
distributed actor Till: PersistentActor {
    struct Refusal: Error, Codable {}

    /// The names by which its methods are called over the wire.
    enum Method: String {
        case add = "3addSiyYaKFTE"
        case addAtGate = "9addAtGateSiyYaKFTE"
        case addAndRefuse = "12addAndRefuseSiyYaKFTE"
        case refuse = "6refuseSiyYaKFTE"
        case count = "5countSiyYaKFTE"

        var target: String { "$s\(_mangledTypeName(Till.self) ?? "")\(self.rawValue)" }
    }

    var state = 0
    var persistenceKey: String { "till" }

    func cleanUp(because cause: ActorTermination.Cause) { self.state += 100 }

    distributed func add() -> Int {
        self.state += 1
        return self.state
    }

    distributed func addAtGate() async -> Int {
        await Gate.shared.pass()
        return self.add()
    }

    distributed func addAndRefuse() throws -> Int {
        self.state += 1
        throw Refusal()
    }

    distributed func refuse() throws -> Int { throw Refusal() }

    distributed func count() -> Int { self.state }
}

/// Holds back whoever passes until it is opened.
final class Gate: Sendable {
    static let shared = Gate()

    private struct State {
        var isOpen = false
        var isReached = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func pass() async {
        await withCheckedContinuation { continuation in
            let (isOpen, watchers) = self.state.withLock { state in
                state.isReached = true
                if !state.isOpen { state.waiting.append(continuation) }
                defer { state.watchers = [] }
                return (state.isOpen, state.watchers)
            }
            for watcher in watchers { watcher.resume() }
            if isOpen { continuation.resume() }
        }
    }

    func waitUntilReached() async {
        await withCheckedContinuation { continuation in
            let isReached = self.state.withLock { state in
                if !state.isReached { state.watchers.append(continuation) }
                return state.isReached
            }
            if isReached { continuation.resume() }
        }
    }

    func open() {
        let waiting = self.state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
