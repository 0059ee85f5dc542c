import MeshCore
import Synchronization

/// What a process knows of its actors' whereabouts and of its links, in words. For tests that fail.
extension Mesh {
    /// A line for each reference and each link.
    package var diagnosis: String {
        (self.references.all.map(\.diagnosis) + self.peers.all.map(\.diagnosis)).joined(separator: "\n")
    }
}

extension ActorReference {
    fileprivate var diagnosis: String {
        self.state.withLock { state in
            let (route, calls) = (state.route, state.route.calls)
            let phase =
                switch route.phase {
                case .connected: "connected"
                case .interrupted(let why): "interrupted, \(why.hasEnded ? "its life is over" : "out of reach")"
                case .ended(let error): "ended: \(error.message)"
                }
            let kept = calls.sequences.prefix(5).compactMap { calls[$0] }.map { "\($0.standing)" }
            return "\(self.label): \(phase); life \(route.location.incarnation) at \(route.location.address.peer); "
                + "calls \(kept), searched \(state.search != nil), inquired \(state.inquiry != nil), "
                + "outstanding \(state.window.outstanding), waiting \(state.waiters.count)"
        }
    }
}
