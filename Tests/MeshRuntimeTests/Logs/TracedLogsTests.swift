import InMemoryTracing
import Logging
import MeshCore
import Synchronization
import Testing
import Tracing

@testable import MeshRuntime

@Suite("Records and traces")
struct TracedLogsTests {
    @Test("a record has the trace that its code runs in, unless its metadata names one")
    func handler() throws {
        let sink = RecordingSink()
        let token = LogOutlet.add(sink)
        defer { LogOutlet.remove(token) }
        let logger = Logger(label: "traced") { MeshLogHandler(label: $0) }
        let tracer = InMemoryTracer()
        withTracer(tracer) {
            withSpan("work") { _ in
                logger.info("in a span")
                logger.info("in another's", metadata: ["trace_id": "named"])
                LogOutlet.collected("a message in a span", from: "somebody")
            }
        }
        logger.info("outside")
        let trace = try #require(tracer.finishedSpans.first).traceID
        #expect(sink.traceID(of: "in a span") == trace)
        #expect(sink.traceID(of: "in another's") == "named")
        #expect(sink.traceID(of: "a message in a span") == trace)
        #expect(sink.traceID(of: "outside") == .some(nil))
    }

    @Test(
        "the ID of a trace is found in what propagators write",
        arguments: [
            (
                ["traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
                "0af7651916cd43dd8448eb211c80319c"
            ),
            (["traceparent": "nonsense", "x-datadog-trace-id": "7"], "7"),
            (["X-B3-SpanId": "2", "X-B3-TraceId": "1"], "1"),
            (["baggage": "a=b"], nil),
            ([:], nil),
        ] as [([String: String], String?)])
    func carriers(carrier: [String: String], expected: String?) {
        #expect(CallTracing.traceID(in: carrier) == expected)
    }
}

/// Keeps records. Those of tests that run at the same time come too.
private final class RecordingSink: LogSink {
    private let records = Mutex<[LogContent]>([])
    let isShown = true

    func write(_ fill: (WireBuffer) -> Void) {
        let buffer = WireBuffer()
        fill(buffer)
        var reader = WireReader(buffer.bytes)
        guard let content = try? LogContent(reading: &reader) else { return }
        self.records.withLock { $0.append(content) }
    }

    /// Nil when there is no such record.
    func traceID(of text: String) -> String?? {
        self.records.withLock { $0.first { $0.text == text } }.map(\.traceID)
    }
}
