package import MeshCore

/// Where an actor is: its process, and which of its lives that is.
package struct ActorLocation: Hashable, Sendable, Codable {
    package var address: PeerAddress
    package var incarnation: UInt64

    package init(address: PeerAddress, incarnation: UInt64) {
        self.address = address
        self.incarnation = incarnation
    }
}
