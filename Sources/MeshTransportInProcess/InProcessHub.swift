import MeshCore
import Synchronization

/// A network inside of one process: the transports made here reach each other, and nobody else.
///
/// It can be made to lose, repeat and delay messages. What happens to the messages of one channel depends on the seed,
/// on which channel it is and on how many messages it has carried, so one seed always gives one channel the same fate.
package final class InProcessHub: Sendable {
    private struct State {
        var faults: Faults
        var inboxes: [String: Inbox] = [:]
        var cut: Set<Way> = []
        var nextTransport = 0
        var nextChannel: UInt64 = 0
    }

    /// From one endpoint to another.
    private struct Way: Hashable {
        var source: String
        var destination: String
    }

    private let seed: UInt64
    private let state: Mutex<State>

    package init(faults: Faults = .none, seed: UInt64 = 0) {
        self.seed = seed
        self.state = Mutex(State(faults: faults))
    }

    /// What happens to messages from now on.
    package func setFaults(_ faults: Faults) { self.state.withLock { $0.faults = faults } }

    /// Loses everything between two endpoints, in both directions, until `heal`.
    package func cut(_ one: String, _ other: String) {
        self.state.withLock { state in
            state.cut.insert(Way(source: one, destination: other))
            state.cut.insert(Way(source: other, destination: one))
        }
    }

    /// Loses everything that goes from one endpoint to another, until `heal`; what comes back arrives.
    package func cutOneWay(from source: String, to destination: String) {
        _ = self.state.withLock { $0.cut.insert(Way(source: source, destination: destination)) }
    }

    /// Undoes every `cut`.
    package func heal() { self.state.withLock { $0.cut = [] } }

    /// A transport with an endpoint of its own.
    package func makeTransport() -> InProcessTransport {
        let inbox = Inbox()
        let endpoint = self.state.withLock { state in
            state.nextTransport += 1
            let endpoint = "memory://\(state.nextTransport)"
            state.inboxes[endpoint] = inbox
            return endpoint
        }
        return InProcessTransport(hub: self, endpoint: endpoint, inbox: inbox)
    }

    func makeChannel(from source: String, to destination: String) -> InProcessChannel {
        let number = self.state.withLock { state in
            state.nextChannel += 1
            return state.nextChannel
        }
        return InProcessChannel(
            hub: self, source: source, destination: destination,
            generator: SeededGenerator(seed: self.seed &+ number &* 0x9e37_79b9))
    }

    func remove(_ endpoint: String) { self.state.withLock { _ = $0.inboxes.removeValue(forKey: endpoint) } }

    func carry(
        _ message: InboundMessage, from source: String, to destination: String, using generator: inout SeededGenerator
    ) {
        let (inbox, faults, isCut) = self.state.withLock { state in
            (
                state.inboxes[destination], state.faults,
                state.cut.contains(Way(source: source, destination: destination))
            )
        }
        let deliveries = faults.deliveries(using: &generator)
        guard let inbox, !isCut else { return }
        for delay in deliveries { inbox.put(message, after: delay) }
    }
}
