import HTTPTypes
import Hummingbird
import Testing

@testable import MeshDashboard

@Suite("How many pages may be open")
struct LiveStreamsTests {
    private static func request(_ method: HTTPRequest.Method) -> Request {
        Request(
            head: HTTPRequest(method: method, scheme: "http", authority: "localhost", path: "/live/actors"),
            body: RequestBody(buffer: ByteBuffer()))
    }

    @Test("who asks for the head alone takes no place, however often")
    func head() async throws {
        try await serve(MadeUpMesh { $0.actors = [actor(1, name: "one")] }) { client in
            for number in 0..<70 {
                let path = number.isMultiple(of: 2) ? "/live/actors" : "/api/v1/events"
                let answer = try await client.send("HEAD", path, [:], body: nil)
                #expect(answer.status == 200 && answer.headers["content-type"] == "text/event-stream")
            }
            let live = try await client.send("GET", "/live/actors", [:], body: nil, until: "name\">one<")
            #expect(live.status == 200)
        }
    }

    @Test("a head takes no place even while its answer is there")
    func heldHead() {
        let streams = LiveStreams(interval: .milliseconds(1))
        let answer = streams.response(to: Self.request(.head)) { nil }
        #expect(streams.open == 0)
        #expect(answer.status == .ok)
    }

    @Test("an answer that nobody reads gives its place back when it goes")
    func unread() {
        let streams = LiveStreams(limit: 1, interval: .milliseconds(1))
        for _ in 0..<3 {
            let answer = streams.response(to: Self.request(.get)) { nil }
            #expect(answer.status == .ok && streams.open == 1)
            #expect(streams.response(to: Self.request(.get)) { nil }.status == .serviceUnavailable)
        }
        #expect(streams.open == 0)
    }

    @Test("an answer whose reader goes away while it is written gives its place back, once")
    func broken() async throws {
        let streams = LiveStreams(limit: 2, interval: .milliseconds(1))
        let kept = streams.response(to: Self.request(.get)) { nil }
        let answer = streams.response(to: Self.request(.get)) { "news" }
        await #expect(throws: Gone.self) { try await answer.body.write(BrokenWriter()) }
        #expect(streams.open == 1)
        _ = (answer, kept)
    }

    private struct Gone: Error {}

    private struct BrokenWriter: ResponseBodyWriter {
        mutating func write(_ buffer: ByteBuffer) async throws { throw Gone() }

        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }
}
