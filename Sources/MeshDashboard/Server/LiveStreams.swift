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
    /// It ends when the reader is gone, and when the dashboard ends.
    ///
    /// - Parameter work: what is done as long as the stream is there; it is cancelled at its end.
    func response(
        beside work: @escaping @Sendable () async -> Void = {}, _ next: @escaping @Sendable () async -> String?
    ) -> Response {
        guard self.enter() else {
            return Response(text: "Too many pages are open at this dashboard.\n", status: .serviceUnavailable)
        }
        let body = ResponseBody { writer in
            defer { self.leave() }
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
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
    }

    private func enter() -> Bool {
        self.count.withLock { count in
            guard count < self.limit else { return false }
            count += 1
            return true
        }
    }

    private func leave() { self.count.withLock { $0 -= 1 } }

    /// An event with its data, however many lines that has.
    static func event(_ name: String, _ data: String) -> String {
        // A line of an event ends with any of these.
        let lines = data.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
        return "event: \(name)\n" + lines.map { "data: \($0)\n" }.joined() + "\n"
    }
}
