import CMeshPlatform
package import CoreMetrics
import Logging
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

    /// Adds what has come since the last time. Returns how many connections were refused or cut since.
    @discardableResult
    package func report(messages: UInt64, _ refusals: TransportRefusals) -> UInt64 {
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
        return added.1 + added.2
    }

    /// Connections that were kept out and are not logged yet, and when something was.
    private let unlogged = Mutex((count: UInt64(0), time: UInt64(0)))

    /// Whether to log that connections were kept out, which is done once a minute. Returns how many.
    func shouldLog(_ added: UInt64, at now: UInt64) -> UInt64? {
        self.unlogged.withLock { unlogged in
            unlogged.count += added
            guard unlogged.count > 0, unlogged.time == 0 || now >= unlogged.time + 60_000_000_000 else { return nil }
            defer { unlogged = (0, now) }
            return unlogged.count
        }
    }
}

extension Mesh {
    /// Reports what is counted. Called with each heartbeat.
    package func reportMetrics() {
        let refusals = self.transport.refusals
        let added = self.metrics.report(messages: self.badMessages.count, refusals)
        guard let count = self.metrics.shouldLog(added, at: cmesh_monotonic_nanoseconds()) else { return }
        self.logger.warning(
            "refused connections: they showed no key of this mesh, or too many showed none",
            metadata: ["count": "\(count)", "hosts": "\(refusals.hosts.joined(separator: ", "))"])
    }
}
