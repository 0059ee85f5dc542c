import FoundationEssentials
import HTTPTypes
import Hummingbird
import Synchronization

/// Server-sent events: how many streams there are, and how one is written.
final class LiveStreams: Sendable {
    private let count = Mutex(0)
    private let limit: Int
    private let interval: Duration
    /// After so long without news a stream says that it lives, and learns whether somebody still reads it.
    private static let silence = Duration.seconds(10)

    init(limit: Int = 64, interval: Duration) {
        self.limit = limit
        self.interval = interval
    }

    /// A stream of what `next` gives, asked again and again; nil stands for no news.
    ///
    /// It ends when the reader is gone, and when the dashboard ends. Who asks for the head alone takes no place.
    ///
    /// - Parameter work: what is done as long as the stream is there; it is cancelled at its end.
    func response(
        to request: Request, beside work: @escaping @Sendable () async -> Void = {},
        _ next: @escaping @Sendable () async -> String?
    ) -> Response {
        let headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        guard request.method != .head else { return Response(status: .ok, headers: headers) }
        guard let place = self.enter() else {
            return Response(
                problem: "Too many pages are open at this dashboard. Close one of them.", to: request,
                status: .serviceUnavailable)
        }
        let body = ResponseBody { writer in
            defer { place.leave() }
            async let _: Void = work()
            var spoken = ContinuousClock.now
            try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
            while !Task.isCancelled {
                let begin = ContinuousClock.now
                if let news = await next() {
                    try await writer.write(ByteBuffer(string: news))
                    spoken = .now
                } else if ContinuousClock.now - spoken > Self.silence {
                    try await writer.write(ByteBuffer(string: ": still here\n\n"))
                    spoken = .now
                }
                // What takes long is asked more seldom.
                let took = ContinuousClock.now - begin
                try await Task.sleep(for: max(self.interval, took * 5))
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    /// How many streams there are.
    var open: Int { self.count.withLock { $0 } }

    /// - Returns: nil when there are as many as there may be.
    private func enter() -> Place? {
        let isFree = self.count.withLock { count in
            guard count < self.limit else { return false }
            count += 1
            return true
        }
        return isFree ? Place(in: self) : nil
    }

    /// One of the streams that there may be. It is free again when the stream ends, and also when it never begins:
    /// whoever asked for it may be gone before, and then nobody runs the body of the answer.
    private final class Place: Sendable {
        private let streams: LiveStreams
        private let isTaken = Mutex(true)

        init(in streams: LiveStreams) { self.streams = streams }

        func leave() {
            let wasTaken = self.isTaken.withLock { isTaken in
                defer { isTaken = false }
                return isTaken
            }
            if wasTaken { self.streams.count.withLock { $0 -= 1 } }
        }

        deinit { self.leave() }
    }

    /// An event with its data, however many lines that has.
    static func event(_ name: String, _ data: String) -> String {
        // A line of an event ends with any of these.
        let lines = data.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
        return "event: \(name)\n" + lines.map { "data: \($0)\n" }.joined() + "\n"
    }
}
