import MeshCore
package import Tracing

/// Spans of calls, for whatever tracer the program has bootstrapped swift-distributed-tracing with before its mesh was
/// made. Without one there are none, and a call pays for nothing.
///
/// A call has one span where it is made and one where it runs, named after its method, and so has a task; the context
/// travels with it as the tracer's propagator writes it. The mesh's own messages have none.
package struct CallTracing: Sendable {
    private let tracer: any Tracer

    /// The tracer of the program; nil when it has none.
    package static var bootstrapped: CallTracing? {
        let tracer = InstrumentationSystem.tracer
        return tracer is NoOpTracer ? nil : CallTracing(tracer)
    }

    package init(_ tracer: any Tracer) { self.tracer = tracer }

    // MARK: Where a call is made

    /// Begins the span of a call that goes out.
    ///
    /// - Parameter isAwaited: whether somebody waits for its result.
    func begin(_ method: String, of actor: ActorReference, isAwaited: Bool) -> any Span {
        let span = self.tracer.startAnySpan(
            method, context: ServiceContext.current ?? .topLevel, ofKind: isAwaited ? .client : .producer)
        Self.describe(span, typeName: actor.typeName, id: actor.id)
        return span
    }

    /// The present context, as it travels.
    package func carried(_ context: ServiceContext? = ServiceContext.current) -> [String: String] {
        guard let context else { return [:] }
        var trace: [String: String] = [:]
        self.tracer.inject(context, into: &trace, using: DictionaryInjector())
        return trace
    }

    /// The trace that the code which runs belongs to; nil without one, and without a tracer.
    package static var currentTraceID: String? {
        guard let context = ServiceContext.current, let tracing = self.bootstrapped else { return nil }
        return self.traceID(in: tracing.carried(context))
    }

    /// The ID of the trace among what a propagator wrote: the second part of W3C's `traceparent`, else what stands under a
    /// key such as `X-B3-TraceId` or `x-datadog-trace-id`.
    package static func traceID(in carrier: [String: String]) -> String? {
        if let parent = carrier["traceparent"] {
            let parts = parent.split(separator: "-")
            if parts.count >= 4 { return String(parts[1]) }
        }
        return carrier.first { $0.key.lowercased().filter { $0 != "-" }.hasSuffix("traceid") }?.value
    }

    // MARK: Where it runs

    /// Begins the span of a call that runs here.
    ///
    /// - Parameter trace: the context that came with it.
    func begin(_ method: String, in actor: HostedActor, after trace: [String: String], isAwaited: Bool) -> any Span {
        let span = self.begin(method, after: trace, isAwaited: isAwaited)
        Self.describe(span, typeName: actor.typeName, id: actor.id)
        span.attributes["mesh.actor.incarnation"] = Int64(clamping: actor.incarnation)
        return span
    }

    /// Begins the span of work that came with a context.
    package func begin(_ name: String, after trace: [String: String], isAwaited: Bool = true) -> any Span {
        var context = ServiceContext.topLevel
        self.tracer.extract(trace, into: &context, using: DictionaryExtractor())
        return self.tracer.startAnySpan(name, context: context, ofKind: isAwaited ? .server : .consumer)
    }

    private static func describe(_ span: any Span, typeName: String, id: UniqueID) {
        span.attributes["rpc.system"] = "actormesh"
        span.attributes["mesh.actor.type"] = typeName
        span.attributes["mesh.actor.id"] = id.description
    }
}

extension Span {
    /// Notes that what the span is about ended with an error.
    package func fail(_ error: any Error) {
        self.recordError(error)
        self.setStatus(SpanStatus(code: .error))
    }
}

private struct DictionaryInjector: Injector {
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
}

private struct DictionaryExtractor: Extractor {
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
}
