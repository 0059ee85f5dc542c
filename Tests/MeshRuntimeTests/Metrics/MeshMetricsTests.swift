import CoreMetrics
import MeshCore
import MeshRuntime
import Synchronization
import Testing

@Suite struct MeshMetricsTests {
    /// Counts in memory.
    private final class Counts: MetricsFactory, Sendable {
        private let counts = Mutex<[String: Int64]>([:])

        var all: [String: Int64] { self.counts.withLock { $0 } }

        private final class Handler: CounterHandler, Sendable {
            let add: @Sendable (Int64) -> Void
            init(add: @escaping @Sendable (Int64) -> Void) { self.add = add }
            func increment(by amount: Int64) { self.add(amount) }
            func reset() {}
        }

        func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
            Handler { amount in self.counts.withLock { $0[label, default: 0] += amount } }
        }
        func makeRecorder(
            label: String, dimensions: [(String, String)], aggregate: Bool
        ) -> any RecorderHandler { NOOPMetricsHandler.instance }
        func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
            NOOPMetricsHandler.instance
        }
        func destroyCounter(_ handler: any CounterHandler) {}
        func destroyRecorder(_ handler: any RecorderHandler) {}
        func destroyTimer(_ handler: any TimerHandler) {}
    }

    @Test("what is refused is counted once, however often it is reported")
    func counts() {
        let counts = Counts()
        let metrics = MeshMetrics(factory: counts)
        metrics.report(messages: 3, TransportRefusals(connectionsCut: 5, keysRefused: 0))
        metrics.report(messages: 3, TransportRefusals(connectionsCut: 5, keysRefused: 0))
        metrics.report(messages: 4, TransportRefusals(connectionsCut: 5, keysRefused: 7))
        #expect(
            counts.all == [
                "actormesh_messages_rejected_total": 4, "actormesh_connections_cut_total": 5,
                "actormesh_keys_refused_total": 7,
            ])
    }
}
