import MeshCore
import Synchronization

/// The calls to actors whose initialisers still run: an actor may hand itself out before it is ready, and whoever got
/// it may call at once. The calls wait, and are the first that it takes.
final class Births: Sendable {
    private struct Life: Hashable {
        var actor: UniqueID
        var incarnation: UInt64
    }

    private let calls = Mutex<[Life: [InboundCall]]>([:])

    enum Arrival {
        /// It waits for the end of the initialiser.
        case waits
        /// It would wait for ever: the initialiser waits for it.
        case deadlock(method: String)
        /// No initialiser of that life runs, or not any more.
        case unknown
    }

    func begin(_ actor: UniqueID, incarnation: UInt64) {
        self.calls.withLock { $0[Life(actor: actor, incarnation: incarnation)] = [] }
    }

    func arrive(_ call: InboundCall, to actor: UniqueID, incarnation: UInt64) -> Arrival {
        let life = Life(actor: actor, incarnation: incarnation)
        return self.calls.withLock { calls in
            guard calls[life] != nil else { return .unknown }
            if let link = call.context?.chain.first(where: { $0.actor == actor }) {
                return .deadlock(method: link.method)
            }
            calls[life]?.append(call)
            return .waits
        }
    }

    /// The initialiser has ended. Nothing can arrive while `body` deals with what waited for that, in order.
    func end(_ actor: UniqueID, incarnation: UInt64, _ body: ([InboundCall]) -> Void) {
        self.calls.withLock { body($0.removeValue(forKey: Life(actor: actor, incarnation: incarnation)) ?? []) }
    }

    /// Takes out a call that waits and is not wanted any more.
    func cancel(_ key: CallKey, of actor: UniqueID) -> InboundCall? {
        self.calls.withLock { calls in
            for (life, waiting) in calls where life.actor == actor {
                guard let index = waiting.firstIndex(where: { $0.key == key && !$0.isOneWay }) else { continue }
                return calls[life]?.remove(at: index)
            }
            return nil
        }
    }

    /// A calling process is gone, or the way to it: nobody waits for its calls.
    ///
    /// - Parameter mayComeAgain: whether the calls that may be sent again are left alone.
    func forget(caller: PeerID, mayComeAgain: Bool) {
        self.calls.withLock { calls in
            for life in calls.keys {
                calls[life]?.removeAll {
                    $0.origin?.id == caller && !$0.isOneWay && !(mayComeAgain && $0.mayComeAgain)
                }
            }
        }
    }
}
