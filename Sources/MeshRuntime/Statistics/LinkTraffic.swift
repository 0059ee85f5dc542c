import Synchronization

/// Counts what goes to other processes and comes from them. Exact in the end; the counts belong to no single moment.
final class LinkTraffic: Sendable {
    private let sent = Atomic<UInt64>(0)
    private let received = Atomic<UInt64>(0)
    private let begunAnew = Atomic<UInt64>(0)

    func noteSent(_ bytes: Int) { self.sent.wrappingAdd(UInt64(bytes), ordering: .relaxed) }
    func noteReceived(_ bytes: Int) { self.received.wrappingAdd(UInt64(bytes), ordering: .relaxed) }
    func noteReconnect() { self.begunAnew.wrappingAdd(1, ordering: .relaxed) }

    var bytesSent: UInt64 { self.sent.load(ordering: .relaxed) }
    var bytesReceived: UInt64 { self.received.load(ordering: .relaxed) }
    var reconnects: UInt64 { self.begunAnew.load(ordering: .relaxed) }
}
