import Distributed
import FoundationEssentials
import MeshCore
import Synchronization

/// Keeps the state of one actor in step with what is stored of it. One call of its methods at a time.
protocol StateKeeping: Sendable {
    /// The answers that an earlier life of the actor stored.
    var restoredAnswers: RememberedAnswers { get }

    /// Stores the state if it is not what is stored.
    ///
    /// - Parameter answers: what is to be stored with it.
    /// - Throws: why it is not stored, or perhaps not.
    func save(_ actor: any DistributedActor, answers: () -> StoredAnswers) async throws(MeshError)

    /// Puts the stored state in the place of the actor's.
    func goBack(_ actor: any DistributedActor) async throws(MeshError)
}

/// Keeps the state of an actor of a type.
final class StateKeeper<Act: PersistentActor>: StateKeeping {
    private let mesh: Mesh
    private let store: any StateStore
    private let claim: StateClaim
    private let id: UniqueID
    let restoredAnswers: RememberedAnswers
    /// The encoded state that is stored.
    private let stored: Mutex<Data>

    /// Takes over what is stored for an actor, and puts it in the place of its fresh state, or stores that.
    ///
    /// - Parameter now: nanoseconds of a steady clock.
    init(restoring actor: Act, on mesh: Mesh, now: UInt64) async throws(MeshError) {
        let id = actor.id
        guard let store = mesh.stateStore else {
            throw MeshError(
                .invalidArgument,
                "The state of \(id) cannot be kept: this process has no store. Give MeshConfiguration one.")
        }
        let key = StateKey(type: id.typeName, key: await actor.whenLocal { $0.persistenceKey } ?? "")
        guard !key.key.isEmpty else {
            throw MeshError(
                .invalidArgument, "\(id) has neither a persistenceKey nor a name; give it one, or spawn it with a name."
            )
        }
        self.mesh = mesh
        self.store = store
        self.id = id.uniqueID
        let record: StateRecord?
        do {
            self.claim = try await store.claim(key)
            record = try await Self.load(self.claim, from: store, mesh)
        } catch {
            throw Self.explain(error, "The state of \(key) cannot be restored")
        }
        guard let record else {
            self.restoredAnswers = RememberedAnswers(limits: .stored)
            self.stored = Mutex(Data())
            try await self.save(actor) { StoredAnswers() }
            return
        }
        // Calls to another actor are other calls, though it had the same key.
        let answers = record.actor == id.uniqueID ? record.answers : StoredAnswers()
        do {
            self.restoredAnswers = try answers.remembered(limits: .stored, now: now, decoder: mesh.decoder)
        } catch {
            throw Self.explain(error, "What is stored of \(key) is damaged")
        }
        self.stored = Mutex(record.state)
        try await self.put(record, into: actor)
    }

    func save(_ actor: any DistributedActor, answers: () -> StoredAnswers) async throws(MeshError) {
        guard let actor = actor as? Act, let state = await actor.whenLocal({ $0.state }) else { return }
        do {
            let encoded = try self.mesh.encode(state).data
            guard encoded != self.stored.withLock({ $0 }) else { return }
            let record = StateRecord(actor: self.id, state: encoded, answers: answers())
            let data = try self.mesh.encode(record).data
            let (store, claim) = (self.store, self.claim)
            try await self.uncancelled { try await store.save(data, claim) }
            self.stored.withLock { $0 = encoded }
        } catch {
            throw Self.explain(error, "The state of \(self.claim.key) cannot be saved")
        }
    }

    func goBack(_ actor: any DistributedActor) async throws(MeshError) {
        guard let actor = actor as? Act else { return }
        let record: StateRecord?
        do {
            let (store, claim, mesh) = (self.store, self.claim, self.mesh)
            record = try await self.uncancelled { try await Self.load(claim, from: store, mesh) }
        } catch {
            throw Self.explain(error, "The state of \(self.claim.key) cannot be read again")
        }
        guard let record else {
            throw MeshError(.systemFailure, "What was stored of \(self.claim.key) is not there any more.")
        }
        self.stored.withLock { $0 = record.state }
        try await self.put(record, into: actor)
    }

    /// Runs something to its end: to cancel a call is not to cancel what it has changed.
    private func uncancelled<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await Task(executorPreference: self.mesh.executor) { try await body() }.value
    }

    private static func load(
        _ claim: StateClaim, from store: any StateStore, _ mesh: Mesh
    ) async throws -> StateRecord? {
        guard let data = try await store.load(claim) else { return nil }
        return try mesh.decode(StateRecord.self, from: EncodedValue(data), what: "What is stored of \(claim.key)")
    }

    private func put(_ record: StateRecord, into actor: Act) async throws(MeshError) {
        do {
            let state: Act.State
            do {
                state = try self.mesh.decode(
                    Act.State.self, from: EncodedValue(record.state), what: "The stored state")
            } catch {
                throw MeshError(
                    .decodingFailed,
                    "What is stored of \(self.claim.key) cannot be read as \(Act.State.self); it was written by "
                        + "another version of the program. Let State read both forms.", cause: error)
            }
            try await actor.whenLocal { actor in
                actor.state = state
                try await actor.stateRestored()
            }
        } catch {
            throw Self.explain(error, "The stored state of \(self.claim.key) cannot be used")
        }
    }

    private static func explain(_ error: any Error, _ what: String) -> MeshError {
        switch error {
        case let error as MeshError: error
        case let error as StateStoreError where error.code == .takenOver:
            MeshError(.actorDied, "\(what): \(error.message)")
        case let error as StateStoreError where error.code == .damaged:
            MeshError(.decodingFailed, "\(what): \(error.message)")
        default: MeshError(.systemFailure, "\(what): \(error)")
        }
    }
}

extension RememberedAnswers.Limits {
    /// Answers that are stored with a state are written again with each change of it, so there may be less of them.
    static let stored = RememberedAnswers.Limits(bytes: 1 << 20)
}
