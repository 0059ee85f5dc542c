import CMeshPlatform
public import Distributed
import FoundationEssentials
package import Logging
package import MeshCore
import MeshMessagePack
package import Synchronization

/// A process's part of a mesh of actors: the actor system of every `distributed actor` in it.
///
/// Actors are spawned in processes of their own and called through handles. A call is delivered at most once; it ends
/// with the method's result, the error that the method threw, or a ``MeshError``, and never waits for a process that
/// is gone.
///
/// Make one with `withMesh`, or let `MeshProgram` do it.
public final class Mesh: DistributedActorSystem, Sendable {
    /// Names actors.
    public typealias ActorID = MeshRuntime.ActorID
    /// Gathers arguments.
    public typealias InvocationEncoder = CallEncoder
    /// Gives methods their arguments.
    public typealias InvocationDecoder = CallDecoder
    /// Sends results.
    public typealias ResultHandler = CallResultHandler
    /// Arguments and results are `Codable`.
    public typealias SerializationRequirement = any Codable

    package let address: PeerAddress
    package let executor: MeshExecutor
    package let settings: MeshSettings
    /// Where actors keep their state.
    package let stateStore: (any StateStore)?
    package let timers = TimerQueue()
    package let references = ReferenceTable()
    package let leases: LeaseTable
    /// The objects of this process, and those that it refers to.
    package let objects: ObjectTable
    let transits = Mutex(Transits<HandleLease>())
    package let peers: PeerTable
    package let watcher = ProcessWatcher()
    package let logger: Logger
    let pending = PendingCalls()
    let buffers = CallBufferPool()
    let targets = CallTargets()
    let hosts = Mutex<[UniqueID: HostedActor]>([:])
    let births = Births()
    /// Until when actors of this process may begin to run calls.
    package let actingPermit = ActingPermit()
    /// The keys whose holders are no part of the mesh any more.
    let revokedKeys = Mutex<Set<KeyIdentity>>([])
    let transport: any MeshTransport
    let outbox: PeerOutbox
    let peerClock = PeerClock()
    let badMessages: BadMessageLog
    let metrics = MeshMetrics()
    let greetings = Greetings()
    /// Traces the calls; nil when the program has no tracer.
    package let tracing: CallTracing?
    private let stopped = Atomic<Bool>(false)
    private let coders = Coders()
    /// What the layer above keeps for this mesh.
    package let extensions = Mutex<[ObjectIdentifier: any Sendable]>([:])
    let onActorExiting = Mutex<(@Sendable (UniqueID, UInt64) async -> Void)?>(nil)
    let onActorExit = Mutex<(@Sendable (UniqueID, UInt64) -> Void)?>(nil)
    /// Knows the whole mesh; nil in a process that has not joined one.
    package let directory = Mutex<(any MeshDirectory)?>(nil)

    package init(
        transport: any MeshTransport, address: PeerAddress, settings: MeshSettings = MeshSettings(),
        stateStore: (any StateStore)? = nil, logger: Logger, tracing: CallTracing? = .bootstrapped
    ) {
        self.tracing = tracing
        let executor = MeshExecutor(transport: transport)
        let outbox = PeerOutbox(
            isOwnThread: { [weak executor] in executor?.isOwnThread ?? false },
            noteActivity: { [monitor = executor.monitor] in monitor.noteActivity() })
        self.transport = transport
        self.address = address
        self.settings = settings
        self.stateStore = stateStore
        self.logger = logger
        self.executor = executor
        self.outbox = outbox
        self.leases = LeaseTable(of: address.peer)
        self.objects = ObjectTable()
        self.badMessages = BadMessageLog(logger: logger)
        self.peers = PeerTable(
            own: address, transport: transport, outbox: outbox, settings: settings)
        self.coders.fill(for: self)
    }

    var encoder: MessagePackEncoder { self.coders.encoder }
    var decoder: MessagePackDecoder { self.coders.decoder }

    /// Whether `stop` has been called.
    package var isStopped: Bool { self.stopped.load(ordering: .sequentiallyConsistent) }

    /// Begins to receive.
    package func start() {
        self.peers.watch { [weak self] address in self?.watch(address) }
        self.executor.start(delegate: self)
    }

    /// Ends this process's part: its actors end, calls that wait fail with `shutDown`, peers are told.
    ///
    /// Safe to call twice. Does not wait for actors' code that blocks.
    package func stop(reason: String) {
        self.stopped.store(true, ordering: .sequentiallyConsistent)
        let error = MeshError(.shutDown, "This process left its mesh: \(reason)")
        let hosted = self.hosts.withLock { hosts in
            defer { hosts = [:] }
            return Array(hosts.values)
        }
        for actor in hosted { actor.end(with: MeshError(.actorDied, "\(actor.label) ended: \(reason)")) }
        self.streams.endAll(with: error)
        self.objects.end()
        self.pending.completeAll(with: error)
        self.greetings.end()
        self.references.endAll(with: error)
        _ = self.transits.withLock { $0.removeAll() }
        for peer in self.peers.all { peer.sayGoodbye(reason: reason) }
        self.executor.stop()
        self.watcher.stop()
    }

    /// Frees the sockets, once `stop` has been called and the last task of this mesh has ended.
    package func close() {
        self.peers.close()
        // A thread that user code blocks may still come back to the transport, which it must find alive.
        if self.executor.join(nanoseconds: 1_000_000_000) { self.transport.close() }
        self.coders.clear()
    }
}

/// The coders know their mesh, so that handles inside of values find it. The circle is cut when the mesh is closed.
///
/// `@unchecked Sendable`: filled while the mesh is made, before anybody else has it, and cleared when nobody uses it.
private final class Coders: @unchecked Sendable {
    private(set) var encoder = MessagePackEncoder()
    private(set) var decoder = MessagePackDecoder()

    func fill(for mesh: Mesh) {
        self.encoder.userInfo[.actorSystemKey] = mesh
        self.decoder.userInfo[.actorSystemKey] = mesh
    }

    func clear() {
        self.encoder = MessagePackEncoder()
        self.decoder = MessagePackDecoder()
    }
}
