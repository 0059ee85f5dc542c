import CMeshPlatform
import DequeModule
package import MeshCore
import Synchronization

/// The processes that this one talks to.
package final class PeerTable: Sendable {
    private struct State {
        var peers: [PeerID: Peer] = [:]
        /// Processes to which the links were given up once, the oldest first: they may still live.
        var givenUp: [PeerID: GivenUp] = [:]
        var givenUpOrder: [PeerID] = []
        /// Processes that are gone for good, the oldest first, so that a late handle to one fails at once.
        var gone: [PeerID: MeshError] = [:]
        var goneOrder: [PeerID] = []
        /// Processes that made themselves known, and had not shown then that they can be reached; the oldest first.
        var strangers: Deque<PeerID> = []
        var nextEpoch: UInt64
        var isClosed = false
        var watch: @Sendable (PeerAddress) -> Void = { _ in }
    }

    private struct GivenUp {
        var address: PeerAddress
        /// The epoch of the last link from it.
        var epoch: UInt64
    }

    private let state: Mutex<State>
    private let own: PeerAddress
    private let transport: any MeshTransport
    private let outbox: PeerOutbox
    private let avoidsLocal: Bool
    private let features: PeerFeatures
    /// What large values that go to others may take of this host's memory.
    let sharedMemory: SharedMemoryBudget
    /// How many processes are remembered that are gone.
    private let remembered: Int
    /// How many strangers there may be: each has a socket here.
    static let maximumStrangers = 1000

    init(
        own: PeerAddress, transport: any MeshTransport, outbox: PeerOutbox, settings: MeshSettings
    ) {
        self.remembered = settings.remembered
        self.avoidsLocal = settings.localTransport == .tcp
        self.features = settings.features
        self.sharedMemory = SharedMemoryBudget(limit: settings.sharedMemory)
        self.own = own
        self.transport = transport
        self.outbox = outbox
        // Epochs grow from one start of this table to the next, should a process make several.
        self.state = Mutex(State(nextEpoch: cmesh_monotonic_nanoseconds()))
    }

    /// Calls `action` for each new peer, outside of any lock, to begin watching whether it lives.
    func watch(_ action: @escaping @Sendable (PeerAddress) -> Void) { self.state.withLock { $0.watch = action } }

    package func known(_ id: PeerID) -> Peer? { self.state.withLock { $0.peers[id] } }

    /// The peer at an address; the link to it is opened at the first use.
    package func peer(at address: PeerAddress) throws(MeshError) -> Peer {
        let (peer, isNew) = try self.state.withLock { state throws(MeshError) -> (Peer, Bool) in
            if let known = state.peers[address.peer] { return (known, false) }
            if let error = state.gone[address.peer] { throw error }
            if state.isClosed { throw MeshError(.shutDown, "This process has left its mesh.") }
            let endpoint = address.endpoint(
                from: self.own.host, avoidingLocal: self.avoidsLocal, in: interfaceNetworks)
            guard let endpoint else {
                let endpoints = address.endpoints.joined(separator: ", ")
                throw MeshError(
                    .actorUnavailable,
                    "Process \(address.peer) on another host can only be reached at [\(endpoints)]; "
                        + "start its mesh with a tcp address.")
            }
            let channel = try self.transport.connect(to: endpoint)
            let before = state.givenUp[address.peer]
            let peer = Peer(
                address: address, own: self.own,
                links: LinkPair(own: state.nextEpoch, givenUp: before?.epoch ?? 0), channel: channel,
                outbox: self.outbox, features: self.features, self.sharedMemory)
            state.nextEpoch += 1
            state.peers[address.peer] = peer
            return (peer, before == nil)
        }
        if isNew { self.state.withLock { $0.watch }(address) }
        return peer
    }

    /// Notes that a process has made itself known. Whoever says hello under ever new names gets no more sockets than so
    /// many.
    ///
    /// - Returns: the peers to give up in its place, which have never shown that they can be reached.
    func noteStranger(_ id: PeerID) -> [Peer] {
        let oldest = self.state.withLock { state -> [Peer] in
            state.strangers.append(id)
            var oldest: [Peer] = []
            while state.strangers.count > Self.maximumStrangers {
                let first = state.strangers.removeFirst()
                if first != id, let peer = state.peers[first] { oldest.append(peer) }
            }
            return oldest
        }
        return oldest.filter { !$0.isConfirmed }
    }

    /// Ends all links, and lets nobody open another: the transport cannot be closed while a socket is open.
    func close() {
        let peers = self.state.withLock { state in
            state.isClosed = true
            return Array(state.peers.values)
        }
        for peer in peers { _ = peer.end(with: MeshError(.shutDown, "The mesh was closed.")) }
    }

    var all: [Peer] { self.state.withLock { Array($0.peers.values) } }

    /// Removes a process that is gone for good. Returns false when it was not known or gone before.
    func remove(_ id: PeerID, because error: MeshError) -> Bool {
        let (peer, isNews) = self.state.withLock { state in
            let isFirst = state.gone.updateValue(error, forKey: id) == nil
            if isFirst { state.goneOrder.append(id) }
            if state.goneOrder.count > self.remembered { state.gone[state.goneOrder.removeFirst()] = nil }
            let peer = state.peers.removeValue(forKey: id)
            return (peer, isFirst && (peer != nil || state.givenUp[id] != nil))
        }
        _ = peer?.end(with: error)
        return isNews
    }

    /// Ends the links to a process that may still live; a later contact begins others. Returns false when they have
    /// ended before.
    func giveUp(_ peer: Peer, because error: MeshError) -> Bool {
        let isPresent = self.state.withLock { state in
            guard state.peers[peer.id] === peer else { return false }
            state.peers[peer.id] = nil
            let epoch = max(peer.lastGivenUp, state.givenUp[peer.id]?.epoch ?? 0)
            if state.givenUp.updateValue(GivenUp(address: peer.address, epoch: epoch), forKey: peer.id) == nil {
                state.givenUpOrder.append(peer.id)
            }
            if state.givenUpOrder.count > self.remembered {
                state.givenUp[state.givenUpOrder.removeFirst()] = nil
            }
            return true
        }
        return isPresent && peer.end(with: error)
    }

    /// Why a process is gone, if it is.
    func ended(_ id: PeerID) -> MeshError? { self.state.withLock { $0.gone[id] } }

    /// The address of a process that was given up and has not been heard of or called since.
    func silent(_ id: PeerID) -> PeerAddress? {
        self.state.withLock { $0.peers[id] == nil && $0.gone[id] == nil ? $0.givenUp[id]?.address : nil }
    }
}
