import Distributed
import Glibc
import Logging
import MeshCore
public import MeshRuntime
public import MeshTransportInProcess
import MeshTransportZeroMQ

/// Several parts of a mesh in one test process, each as if it were a process of its own: with its own sockets, its own
/// threads, and no state in common with the others.
///
/// Actors are put into a part with ``host(in:name:maxConcurrency:maxPendingCalls:seenFrom:_:)`` and called through handles, over the wire.
public struct TestMesh: Sendable {
    /// How messages travel between the parts.
    public enum Form: Sendable, Hashable, CaseIterable {
        /// In memory: fast, and can be made to fail.
        case inProcess
        /// Over real sockets.
        case zeroMQ
    }

    /// The parts.
    public let meshes: [Mesh]
    /// The network of the form `inProcess`.
    package let hub: InProcessHub

    /// What happens to messages from now on, with the form `inProcess`.
    public func setFaults(_ faults: Faults) { self.hub.setFaults(faults) }

    /// Loses every message between two parts until ``heal()``, with the form `inProcess`.
    public func cut(_ one: Int, _ other: Int) {
        let endpoints = [one, other].map { self.meshes[$0].address.endpoints.first ?? "" }
        self.hub.cut(endpoints[0], endpoints[1])
    }

    /// Loses every message from one part to another until ``heal()``, with the form `inProcess`; what comes back arrives.
    public func cutOneWay(from source: Int, to destination: Int) {
        let endpoints = [source, destination].map { self.meshes[$0].address.endpoints.first ?? "" }
        self.hub.cutOneWay(from: endpoints[0], to: endpoints[1])
    }

    /// Undoes every ``cut(_:_:)`` and ``cutOneWay(from:to:)``.
    public func heal() { self.hub.heal() }

    /// Puts an actor into one part, and gives a handle to it that belongs to another.
    ///
    /// - Parameters:
    ///   - part: where it lives.
    ///   - name: what errors call it.
    ///   - maxConcurrency: how many of its calls may run side by side.
    ///   - maxPendingCalls: how many calls of one part may be outstanding; nil for the mesh's setting.
    ///   - viewer: whose handle it is.
    ///   - make: makes the actor.
    public func host<Act: RemoteActor>(
        in part: Int = 1, name: String? = nil, maxConcurrency: Int = 1, maxPendingCalls: Int? = nil,
        seenFrom viewer: Int = 0, _ make: @Sendable (Mesh) async throws -> Act
    ) async throws -> Act {
        let id = try await self.meshes[part].birth(
            Act.self, id: .make(), name: name, incarnation: 1, window: maxPendingCalls,
            maxConcurrency: maxConcurrency, make)
        return try self.handle(ActorHandle(id), seenFrom: viewer)
    }

    /// Another part's handle to the same actor.
    public func handle<Act: RemoteActor>(to actor: Act, seenFrom viewer: Int) throws -> Act {
        try self.handle(ActorHandle(actor.id), seenFrom: viewer)
    }

    private func handle<Act: RemoteActor>(_ handle: ActorHandle, seenFrom viewer: Int) throws -> Act {
        try self.meshes[viewer].handle(Act.self, handle.fields)
    }

    private struct ActorHandle {
        var fields: HandleFields
        init(_ id: ActorID) { self.fields = HandleFields(id.reference) }
    }

    /// Lets one part give up another, as if that had been silent for longer than the lease.
    public func giveUp(_ part: Int, by other: Int) {
        guard let peer = self.meshes[other].peers.known(self.meshes[part].address.peer) else { return }
        let message = "Part \(part) of the test mesh was given up; the call may or may not have run."
        self.meshes[other].giveUp(peer, because: MeshError(.actorUnavailable, message))
    }

    /// Ends one part as a crash would, except that its code goes on: the others are told that its process is gone.
    public func lose(_ part: Int) {
        let gone = self.meshes[part].address
        for (index, mesh) in self.meshes.enumerated() where index != part {
            mesh.lost(gone.peer, because: MeshError(.actorDied, "Part \(part) of the test mesh was ended."))
        }
    }
}

/// Runs a test on several parts of a mesh in this process, and takes them down afterwards.
///
/// - Parameters:
///   - form: how messages travel.
///   - parts: how many parts there are.
///   - settings: the times and limits of every part.
///   - hosts: the name of the host on which each part is to believe it is; nil: all on this one. Parts on different
///     hosts learn of each other's end only by silence. With the form `inProcess`.
///   - faults: what happens to messages, with the form `inProcess`.
///   - seed: decides to which messages it happens.
///   - stateStore: where persistent actors keep their state; nil: there can be none.
///   - body: the test.
public func withTestMesh<Result: Sendable>(
    _ form: TestMesh.Form = .inProcess, parts: Int = 2, settings: MeshSettings = MeshSettings(),
    hosts: [String]? = nil, faults: Faults = .none, seed: UInt64 = 0, stateStore: (any StateStore)? = nil,
    _ body: @Sendable (TestMesh) async throws -> Result
) async throws -> Result {
    let hub = InProcessHub(faults: faults, seed: seed)
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    var meshes: [Mesh] = []
    defer {
        for mesh in meshes { mesh.stop(reason: "the test has ended") }
        for mesh in meshes { mesh.close() }
    }
    for part in 0..<parts {
        let peer = PeerID.random()
        let transport: any MeshTransport
        switch form {
        case .inProcess: transport = hub.makeTransport()
        case .zeroMQ: transport = try ZeroMQTransport(bind: ["ipc://\(directory.path)/\(peer)"])
        }
        let address = PeerAddress(
            peer: peer, host: hosts.map { HostID($0[part]) } ?? ProcessStatus.hostID(), processID: getpid(),
            startTime: ProcessStatus.startTime(of: getpid()) ?? 0, endpoints: transport.endpoints)
        let mesh = Mesh(
            transport: transport, address: address, settings: settings, stateStore: stateStore,
            logger: Logger(label: "test.part\(part)") { _ in SwiftLogNoOpLogHandler() })
        mesh.start()
        meshes.append(mesh)
    }
    let test = TestMesh(meshes: meshes, hub: hub)
    return try await withTaskExecutorPreference(meshes[0].executor) { try await body(test) }
}
