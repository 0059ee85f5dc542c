package import MeshCore

/// Who made the call that runs now, as far as it tells: its process, and the actor or task in whose name it was made.
package struct CallOrigin: Sendable, CustomStringConvertible {
    /// The calling process; nil for this one.
    package let peer: PeerID?
    private let address: PeerAddress
    private let here: PeerAddress
    private let caller: ChainLink?

    /// Nil outside of a call.
    package static var current: CallOrigin? {
        guard let call = MeshScope.current?.call else { return nil }
        return CallOrigin(
            peer: call.origin?.id, address: call.origin?.address ?? call.mesh.address, here: call.mesh.address,
            caller: call.chain.last)
    }

    /// Who made a call that has arrived.
    init(of call: InboundCall, on mesh: Mesh) {
        self.init(
            peer: call.origin?.id, address: call.origin?.address ?? mesh.address, here: mesh.address,
            caller: call.context?.chain.last)
    }

    private init(peer: PeerID?, address: PeerAddress, here: PeerAddress, caller: ChainLink?) {
        self.peer = peer
        self.address = address
        self.here = here
        self.caller = caller
    }

    /// For people: `Counter (1fcc75b5) in process 4711`, `Publish in process 4711` for a task, `process 4711` for a
    /// program, and also for `submit` and `tell`, whose messages do not say more.
    package var description: String {
        var process = "process \(self.address.processID)"
        // Another host counts its processes for itself.
        if self.address.host != self.here.host { process += " (\(self.address.peer))" }
        guard let caller, let dot = caller.method.firstIndex(of: ".") else { return process }
        let type = caller.method[..<dot]
        // A task has no number of its own; what runs it is the same for all tasks of its process.
        return caller.actor.isReserved ? "\(type) in \(process)" : "\(type) (\(caller.actor.short)) in \(process)"
    }
}
