package import MeshCore
import Synchronization

/// The objects of this process to which others refer, and others' objects to which this process refers.
package final class ObjectTable: Sendable {
    private struct Given {
        /// The object, while somebody here refers to it or it is not there yet.
        weak var object: PendingResult?
        /// What it came to.
        var outcome: (any AnyObjectOutcome)?
        /// What others are told of it.
        var answer: Task<PreparedAnswer, any Error>?
    }

    private struct Taken {
        weak var object: PendingResult?
        /// Which one it was, once it is gone.
        let identity: ObjectIdentifier
    }

    private struct State {
        var given: [UniqueID: Given] = [:]
        /// What is to be done once others refer to no object of this process.
        var whenNoneGiven: [@Sendable () -> Void] = []
        /// By their types: a reference of another type has an object of its own, which will not be readable.
        var taken: [UniqueID: [ObjectIdentifier: Taken]] = [:]
        /// The segments that are this process's to free, wherever they lie.
        var segments: Set<UInt64> = []
        var store: ObjectStore?
        /// The process that keeps the large values of this one; nil for itself.
        var keeper: PeerAddress?
    }

    private let state = Mutex(State())
    /// For what other processes can ask.
    private let prepared = Mutex<Set<Service>>([])

    package init() {}

    // MARK: Own objects

    /// Others refer to an object of this process from now on.
    func give(_ object: PendingResult) {
        self.state.withLock { state in
            if state.given[object.id] == nil { state.given[object.id] = Given(object: object) }
        }
        // What it came to before it was in the table it has told nobody.
        if let outcome = object.anyOutcome { self.complete(object.id, with: outcome) }
    }

    /// An object of this process that has come back is referred to here again.
    func renew(_ object: PendingResult) { self.state.withLock { $0.given[object.id]?.object = object } }

    func complete(_ id: UniqueID, with outcome: any AnyObjectOutcome) {
        self.state.withLock { if $0.given[id] != nil { $0.given[id]?.outcome = outcome } }
    }

    /// An object of this process: what it came to, or the one to wait for.
    func find(_ id: UniqueID) -> (object: PendingResult?, outcome: (any AnyObjectOutcome)?)? {
        self.state.withLock { state in state.given[id].map { ($0.object, $0.outcome) } }
    }

    /// What others are told of an object of this process: made once, however many ask.
    func answer(
        for id: UniqueID, _ make: @escaping @Sendable (any AnyObjectOutcome) async throws -> PreparedAnswer
    ) -> Task<PreparedAnswer, any Error>? {
        self.state.withLock { state in
            guard let given = state.given[id], let outcome = given.outcome else { return nil }
            if let known = given.answer { return known }
            let answer = Task { try await make(outcome) }
            state.given[id]?.answer = answer
            return answer
        }
    }

    /// The objects of this process to which others refer.
    package var given: [UniqueID] { self.state.withLock { Array($0.given.keys) } }

    /// Calls `action` once others refer to no object of this process. Returns false, and does not call it, when that is so
    /// now.
    private func whenNoneGiven(_ action: @escaping @Sendable () -> Void) -> Bool {
        self.state.withLock { state in
            guard !state.given.isEmpty else { return false }
            state.whenNoneGiven.append(action)
            return true
        }
    }

    /// Returns when others refer to no object of this process, or the waiting task is cancelled.
    package func waitUntilNoneGiven() async {
        let waiter = IdleWaiter()
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                waiter.set(continuation)
                if Task.isCancelled || !self.whenNoneGiven({ waiter.resume() }) { waiter.resume() }
            }
        } onCancel: {
            waiter.resume()
        }
    }

    // MARK: Others' objects

    /// An object that is known by its reference: the one that this process has, or a new one.
    func taken<Value>(
        _ id: UniqueID, _ type: Value.Type, _ make: () -> PendingObject<Value>
    ) -> PendingObject<Value> {
        self.state.withLock { state in
            if let known = state.taken[id]?[ObjectIdentifier(type)]?.object as? PendingObject<Value> { return known }
            let object = make()
            state.taken[id, default: [:]][ObjectIdentifier(type)] = Taken(
                object: object, identity: ObjectIdentifier(object))
            return object
        }
    }

    /// Nobody here refers to an object any more.
    ///
    /// Does not look at the objects themselves, which could end here, inside of the lock.
    func gone(_ id: UniqueID, _ identity: ObjectIdentifier) {
        self.state.withLock { state in
            guard let taken = state.taken[id] else { return }
            let left = taken.filter { $0.value.identity != identity }
            state.taken[id] = left.isEmpty ? nil : left
        }
    }

    /// All that is known here of an object, to be waited for.
    package func all(_ id: UniqueID) -> [PendingResult] {
        self.state.withLock { state in
            [state.given[id]?.object].compactMap(\.self)
                + (state.taken[id] ?? [:]).values.compactMap(\.object)
        }
    }

    /// The broker says that an object is held by nobody, if it is this process's, or that it cannot be there any more.
    package func ended(_ id: UniqueID, reason: String) {
        let (given, taken, actions) = self.state.withLock { state in
            let given = state.given.removeValue(forKey: id)
            let taken = (state.taken[id] ?? [:]).values.compactMap(\.object)
            guard state.given.isEmpty else { return (given, taken, [@Sendable () -> Void]()) }
            defer { state.whenNoneGiven = [] }
            return (given, taken, state.whenNoneGiven)
        }
        withExtendedLifetime(given) {}
        for action in actions { action() }
        for object in taken { object.fail(MeshError(.objectLost, "The object is lost. \(reason)")) }
    }

    /// This process leaves its mesh.
    func end() {
        let (given, taken) = self.state.withLock { state in
            defer { state.given = [:] }
            return (state.given, state.taken.values.flatMap { $0.values.compactMap(\.object) })
        }
        withExtendedLifetime(given) {}
        for object in taken { object.fail(MeshError(.shutDown, "This process has left its mesh.")) }
    }

    // MARK: The store

    /// What other processes may ask for.
    enum Service: Hashable, Sendable {
        case objects
        case pools
    }

    /// Makes it possible that others ask for something, once. When this returns it is.
    func prepare(_ service: Service, _ make: () -> Void) {
        self.prepared.withLock { if $0.insert(service).inserted { make() } }
    }

    /// What others were to be told could not be made; the next who asks has it tried again.
    func forgetAnswer(for id: UniqueID, _ answer: Task<PreparedAnswer, any Error>) {
        self.state.withLock { if $0.given[id]?.answer == answer { $0.given[id]?.answer = nil } }
    }

    /// What the objects of this process came to that others refer to.
    var outcomes: [any AnyObjectOutcome] { self.state.withLock { $0.given.values.compactMap(\.outcome) } }

    /// Where this process's large values are kept; made when it is first needed.
    func store(_ make: () -> ObjectStore) -> ObjectStore {
        self.state.withLock { state in
            if let store = state.store { return store }
            let store = make()
            state.store = store
            return store
        }
    }

    /// A segment is this process's to free from now on.
    func own(segment: UInt64) { self.state.withLock { _ = $0.segments.insert(segment) } }

    func disown(segment: UInt64) { self.state.withLock { _ = $0.segments.remove(segment) } }

    /// Whether a segment is this process's to free.
    func owns(segment: UInt64) -> Bool { self.state.withLock { $0.segments.contains(segment) } }

    /// The store, if there is one already.
    package var storeIfMade: ObjectStore? { self.state.withLock { $0.store } }

    /// The process that keeps the large values of this one: the node of a worker; nil for itself.
    package var keeper: PeerAddress? { self.state.withLock { $0.keeper } }

    package func setKeeper(_ node: PeerAddress) { self.state.withLock { $0.keeper = node } }

    // MARK: For tests

    package var counts: (given: Int, taken: Int) { self.state.withLock { ($0.given.count, $0.taken.count) } }
}
