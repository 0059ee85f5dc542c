import CMeshPlatform
public import Distributed
import FoundationEssentials
import Logging
package import MeshCore
import Synchronization

/// Which actors live in this process.
extension Mesh {
    /// Called by the compiler: a handle always goes through its actor's mailbox, also when the actor lives here, so
    /// there is never a local actor to give.
    public func resolve<Act>(id: ActorID, as actorType: Act.Type) throws -> Act?
    where Act: DistributedActor, Act.ID == ActorID { nil }

    /// Called by the compiler when an actor is being made.
    public func assignID<Act>(_ actorType: Act.Type) -> ActorID where Act: DistributedActor, Act.ID == ActorID {
        if let birth = Birth.current, let claimed = birth.claim(actorType) { return ActorID(claimed, .uncounted) }
        let reference = self.makeReference(id: .make(), type: actorType, name: nil, incarnation: 0, window: nil)
        return ActorID(reference, .uncounted)
    }

    /// Called by the compiler when an actor's initialiser has ended. One that its program made by itself can be called
    /// by handle from then on, for as long as the program holds on to it.
    public func actorReady<Act>(_ actor: Act) where Act: DistributedActor, Act.ID == ActorID {
        guard Birth.current?.owns(actor.id.reference.id) != true else { return }
        self.host(actor, reference: actor.id.reference, incarnation: 0, maxConcurrency: 1, isOwned: false)
    }

    /// Called by the compiler when an actor has ended, or its initialiser threw.
    public func resignID(_ id: ActorID) {
        let hosted = self.hosts.withLock { hosts -> HostedActor? in
            // A spawned actor is ended by the mesh, which keeps it alive until then.
            guard let hosted = hosts[id.reference.id], !hosted.isOwned else { return nil }
            return hosts.removeValue(forKey: id.reference.id)
        }
        hosted?.end(with: MeshError(.actorDied, "\(id) has ended: its program let go of it."))
    }

    func makeReference<Act>(
        id: UniqueID, type: Act.Type, name: String?, incarnation: UInt64, window: Int?, retries: Limit = 0,
        mayRestart: Bool = false
    ) -> ActorReference {
        let fields = HandleFields(
            id: id, typeName: _typeName(type), name: name,
            window: window ?? self.settings.maxPendingCalls,
            location: ActorLocation(address: self.address, incarnation: incarnation), retries: retries,
            mayRestart: mayRestart)
        return self.references.reference(for: fields, mesh: self)
    }

    @discardableResult
    func host(
        _ actor: any DistributedActor, reference: ActorReference, incarnation: UInt64, maxConcurrency: Int,
        isOwned: Bool, keeper: (any StateKeeping)? = nil, driver: PeerID? = nil, calls: [InboundCall] = []
    ) -> HostedActor {
        let hosted = HostedActor(
            id: reference.id, incarnation: incarnation, typeName: reference.typeName, name: reference.name,
            maxConcurrency: maxConcurrency, actor: actor, isOwned: isOwned, mesh: self, keeper: keeper,
            driver: driver)
        for call in calls { hosted.enqueue(call) }
        // Outside of the lock, because the actor may go with it, and resigns.
        let former = self.hosts.withLock { $0.updateValue(hosted, forKey: reference.id) }
        former?.end(with: MeshError(.actorDied, "\(hosted.label) has begun another life."))
        return hosted
    }

    /// Makes an actor with a given identity, runs its initialiser, and keeps it until `endActor`.
    ///
    /// - Parameters:
    ///   - retries: how often one call may run again in a later life, for the handles that it gives to others.
    ///   - mayRestart: whether there may be a later life.
    ///   - driver: the program for which it works, if that is known.
    package func birth<Act: DistributedActor>(
        _ type: Act.Type, id: UniqueID, name: String?, incarnation: UInt64, window: Int? = nil, maxConcurrency: Int,
        retries: Limit = 0, mayRestart: Bool = false, driver: PeerID? = nil, _ make: (Mesh) async throws -> Act
    ) async throws -> ActorID where Act.ActorSystem == Mesh {
        let isPersistent = type is any PersistentActor.Type
        guard maxConcurrency == 1 || !isPersistent else {
            throw MeshError(
                .invalidArgument,
                "\(type) keeps its state, so its calls run one at a time: maxConcurrency must be 1.")
        }
        let reference = self.makeReference(
            id: id, type: type, name: name, incarnation: incarnation, window: window, retries: retries,
            mayRestart: mayRestart)
        let birth = Birth(reference: reference, type: type, incarnation: incarnation, driver: driver)
        self.births.begin(id, incarnation: incarnation)
        do {
            let (actor, keeper) = try await MeshScope.$current.withValue(.making(birth)) {
                try await Birth.$current.withValue(birth) {
                    let actor = try await make(self)
                    return (actor, isPersistent ? try await self.restoreState(of: actor) : nil)
                }
            }
            self.births.end(id, incarnation: incarnation) { calls in
                self.host(
                    actor, reference: reference, incarnation: incarnation, maxConcurrency: maxConcurrency,
                    isOwned: true, keeper: keeper, driver: driver, calls: calls)
            }
        } catch {
            self.births.end(id, incarnation: incarnation) { calls in
                let failure = MeshError(.actorDied, "\(reference.label) could not be made: its initialiser failed.")
                for call in calls { self.refuse(call, of: id, incarnation, with: failure) }
            }
            throw error
        }
        return ActorID(reference, .uncounted)
    }

    private func restoreState(of actor: any DistributedActor) async throws -> (any StateKeeping)? {
        guard let actor = actor as? any PersistentActor else { return nil }
        return try await Self.restoreState(of: actor, on: self)
    }

    private static func restoreState<Act: PersistentActor>(
        of actor: Act, on mesh: Mesh
    ) async throws -> any StateKeeping {
        try await StateKeeper(restoring: actor, on: mesh, now: cmesh_monotonic_nanoseconds())
    }

    /// Ends an actor of this process. Returns false when there is none.
    @discardableResult
    package func endActor(_ id: UniqueID, because error: MeshError) -> Bool {
        guard let hosted = self.hosts.withLock({ $0.removeValue(forKey: id) }) else { return false }
        hosted.end(with: error)
        return true
    }

    /// An actor of this process, in a certain life; nil when it has ended.
    package func hosted(_ id: UniqueID, incarnation: UInt64) -> HostedActor? {
        self.hosts.withLock { $0[id] }.flatMap { $0.incarnation == incarnation ? $0 : nil }
    }

    /// Has something done when an actor of this process has ended itself, with which life of it.
    ///
    /// - Parameter begins: what is done, and awaited, before that, when the actor has asked for its end and is about to
    ///   clean up: its process may die of that.
    package func whenActorExits(
        begins: @escaping @Sendable (UniqueID, UInt64) async -> Void,
        _ action: @escaping @Sendable (UniqueID, UInt64) -> Void
    ) {
        self.onActorExiting.withLock { $0 = begins }
        self.onActorExit.withLock { $0 = action }
    }

    /// The spawned actor whose method runs here.
    var runningActor: UniqueID? {
        guard let hosted = MeshScope.current?.call?.hosted, hosted.isOwned, !hosted.id.isReserved,
            hosted.incarnation > 0
        else { return nil }
        return hosted.id
    }

    /// Whose children the actors are that the code that runs now spawns.
    package var currentOwner: ActorOwner {
        if let birth = Birth.current, !birth.id.isReserved {
            return ActorOwner(
                process: self.address.peer, actor: birth.id, incarnation: birth.incarnation, driver: birth.driver)
        }
        guard let call = MeshScope.current?.call else { return ActorOwner(process: self.address.peer) }
        if let owner = call.owner { return owner }
        guard let hosted = call.hosted, hosted.isOwned, !hosted.id.isReserved else {
            return ActorOwner(process: self.address.peer)
        }
        return ActorOwner(
            process: self.address.peer, actor: hosted.id, incarnation: hosted.incarnation, driver: hosted.driver)
    }

    /// Runs work that is no part of the call in which it is begun, on the mesh's own threads.
    @discardableResult
    package func detach(_ work: @escaping @Sendable () async throws -> Void) -> Task<Void, Never> {
        MeshScope.$current.withValue(nil) {
            Birth.$current.withValue(nil) {
                Task(executorPreference: self.executor) {
                    do {
                        try await work()
                    } catch {
                        self.logger.debug("work beside the calls failed", metadata: ["error": "\(error)"])
                    }
                }
            }
        }
    }
}

/// The identity that is waiting for the actor which is being made.
final class Birth: Sendable {
    @TaskLocal static var current: Birth?

    private let reference: ActorReference
    private let type: ObjectIdentifier
    private let isClaimed = Once()

    let incarnation: UInt64
    /// The program for which it works, if that is known.
    let driver: PeerID?

    init(
        reference: ActorReference, type: any DistributedActor.Type, incarnation: UInt64, driver: PeerID? = nil
    ) {
        self.driver = driver
        self.incarnation = incarnation
        self.reference = reference
        self.type = ObjectIdentifier(type)
    }

    /// The identity, for the first actor of the right type; others that its initialiser makes get their own.
    func claim(_ type: any DistributedActor.Type) -> ActorReference? {
        ObjectIdentifier(type) == self.type && self.isClaimed.first() ? self.reference : nil
    }

    /// For people: `Account.init`.
    var label: String {
        "\(shortName(ofType: self.reference.typeName)).init"
    }

    func owns(_ id: UniqueID) -> Bool { self.reference.id == id }

    var id: UniqueID { self.reference.id }
    var name: String? { self.reference.name }
    var typeName: String { self.reference.typeName }
}
