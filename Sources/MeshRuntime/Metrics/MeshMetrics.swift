package import CoreMetrics
package import MeshCore
import Synchronization

/// What a process's part of a mesh counts, for whatever the program has bootstrapped swift-metrics with.
package final class MeshMetrics: Sendable {
    /// Messages that made no sense.
    private let messagesRejected: Counter
    /// Connections that were cut because too many showed no key.
    private let connectionsCut: Counter
    /// Connections that showed a key which is none of this mesh, or was revoked.
    private let keysRefused: Counter
    /// What has been reported already.
    private let reported = Mutex((messages: UInt64(0), refusals: TransportRefusals()))

    /// - Parameter factory: where the counters are; the program's own, unless a test gives another.
    package init(factory: any MetricsFactory = MetricsSystem.factory) {
        self.messagesRejected = Counter(label: "actormesh_messages_rejected_total", factory: factory)
        self.connectionsCut = Counter(label: "actormesh_connections_cut_total", factory: factory)
        self.keysRefused = Counter(label: "actormesh_keys_refused_total", factory: factory)
    }

    /// Adds what has come since the last time.
    package func report(messages: UInt64, _ refusals: TransportRefusals) {
        let added = self.reported.withLock { reported in
            defer { reported = (messages, refusals) }
            return (
                messages - reported.messages, refusals.connectionsCut - reported.refusals.connectionsCut,
                refusals.keysRefused - reported.refusals.keysRefused
            )
        }
        if added.0 > 0 { self.messagesRejected.increment(by: Int64(added.0)) }
        if added.1 > 0 { self.connectionsCut.increment(by: Int64(added.1)) }
        if added.2 > 0 { self.keysRefused.increment(by: Int64(added.2)) }
    }
}

extension Mesh {
    /// Reports what is counted. Called with each heartbeat.
    package func reportMetrics() { self.metrics.report(messages: self.badMessages.count, self.transport.refusals) }
}
