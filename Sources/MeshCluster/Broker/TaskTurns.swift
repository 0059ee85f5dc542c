package import MeshCore

/// Which node is asked next for a worker that runs tasks: one where nobody waits for a worker if there is such a node,
/// and of those the one whose turn was longest ago. So tasks reach every node, and a new one at once.
package struct TaskTurns {
    private struct Place {
        /// How many wait for a worker of this node.
        var waiting = 0
        var lastTurn: UInt64 = 0
        /// Whether the node has left, and is remembered only for those who still wait there.
        var isGone = false
    }

    private var places: [PeerID: Place] = [:]
    private var turn: UInt64 = 0

    package init() {}

    /// Chooses one of the nodes; ``end(at:)`` says when the worker was given, or was not. Nil when there are none.
    package mutating func begin(among nodes: some Sequence<PeerID>) -> PeerID? {
        let next = nodes.min { one, other in self.order(of: one) < self.order(of: other) }
        guard let next else { return nil }
        self.turn += 1
        self.places[next, default: Place()].waiting += 1
        self.places[next]?.lastTurn = self.turn
        self.places[next]?.isGone = false
        return next
    }

    private func order(of node: PeerID) -> (Int, UInt64) {
        let place = self.places[node] ?? Place()
        return (place.waiting, place.lastTurn)
    }

    /// Whoever was sent to a node does not wait there any more.
    package mutating func end(at node: PeerID) {
        guard var place = self.places[node] else { return }
        place.waiting -= 1
        self.places[node] = place.isGone && place.waiting == 0 ? nil : place
    }

    /// A node is no part of the mesh any more.
    package mutating func forget(_ node: PeerID) {
        guard var place = self.places[node] else { return }
        place.isGone = true
        self.places[node] = place.waiting == 0 ? nil : place
    }
}
