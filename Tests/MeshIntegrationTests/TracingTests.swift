import ActorMesh
import InMemoryTracing
import MeshFixtures
import MeshTesting
import Testing
import Tracing

extension Integration {
    /// Spans of calls, with a tracer that keeps them in memory.
    @Suite("Tracing", .timeLimit(.minutes(10)))
    struct TracingTests {
        @Test(
            "a call has a span at its caller and one where it runs, in one trace, through other actors",
            arguments: TestMesh.Form.allCases)
        func spans(form: TestMesh.Form) async throws {
            let tracer = InMemoryTracer()
            try await withTracer(tracer) {
                try await withTestMesh(form, parts: 3) { test in
                    let ledger = try await test.host(in: 2, seenFrom: 1) { Ledger(actorSystem: $0) }
                    let caller = try await test.host(in: 1) { Caller(actorSystem: $0) }
                    let passed = try test.handle(to: ledger, seenFrom: 0)
                    try await withSpan("root") { _ in
                        _ = try await caller.pipeline(passed, as: "one", count: 2)
                    }
                }
            }
            let spans = tracer.finishedSpans
            let root = try #require(spans.first { $0.operationName == "root" })
            #expect(Set(spans.map(\.traceID)) == [root.traceID])

            let pipeline = spans.filter { $0.operationName == "Caller.pipeline(_:as:count:)" }
            let out = try #require(pipeline.first { $0.kind == .client })
            let `in` = try #require(pipeline.first { $0.kind == .server })
            #expect(pipeline.count == 2)
            #expect(out.parentSpanID == root.spanID)
            #expect(`in`.parentSpanID == out.spanID)

            let appends = spans.filter { $0.operationName.hasPrefix("Ledger.append") }
            #expect(appends.count { $0.kind == .client && $0.parentSpanID == `in`.spanID } == 2)
            for span in appends where span.kind == .server {
                #expect(appends.contains { $0.kind == .client && $0.spanID == span.parentSpanID })
            }
            #expect(appends.count == 4)
        }

        @Test("an error is noted in both spans; one-way messages are produced and consumed")
        func errors() async throws {
            let tracer = InMemoryTracer()
            try await withTracer(tracer) {
                try await withTestMesh { test in
                    let echo = try await test.host { Echo(actorSystem: $0) }
                    await #expect(throws: Refusal.self) { try await echo.refuse() }
                    try await test.meshes[0].tell { _ = try await echo.text("x") }
                    // Whatever comes after it shows that it has run.
                    _ = try await echo.text("y")
                    #expect(try await poll { tracer.finishedSpans.count == 6 })
                }
            }
            let spans = tracer.finishedSpans
            let refused = spans.filter { $0.operationName == "Echo.refuse()" }
            #expect(refused.count == 2)
            for span in refused {
                #expect(span.status?.code == .error)
                #expect(span.errors.count == 1)
            }
            #expect(spans.contains { $0.kind == .producer && $0.status == nil })
            #expect(spans.contains { $0.kind == .consumer })
        }

        @Test("without a tracer a call carries no context")
        func none() async throws {
            try await withTestMesh { test in #expect(test.meshes.allSatisfy { $0.tracing == nil }) }
        }
    }
}
