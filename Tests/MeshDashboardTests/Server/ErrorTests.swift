import Foundation
import Logging
import MeshCore
import Synchronization
import Testing

@testable import MeshDashboard

@Suite("What is told of what cannot be")
struct ErrorTests {
    /// The problem in an answer of the API.
    private static func problem(in answer: HTTPClient.Answer) throws -> String {
        #expect(answer.headers["content-type"]?.hasPrefix("application/json") == true)
        return try JSONDecoder().decode(DashboardAPI.Problem.self, from: Data(answer.body.utf8)).error
    }

    @Test("every error of the API is JSON that says what is wrong")
    func json() async throws {
        try await serve(MadeUpMesh(), isPrivate: true) { client in
            for path in ["/api/v1/actors", "/api/v1/nope", "/api", "//api/v1/nodes", "/api/v1/events"] {
                let answer = try await client.get(path)
                #expect(answer.status == 401, "\(path)")
                #expect(try Self.problem(in: answer).contains("/sign-in"))
            }
        }
        try await serve(MadeUpMesh()) { client in
            for path in ["/api/v1/nope", "/api", "/api/", "/api/v2/actors"] {
                let answer = try await client.get(path)
                #expect(answer.status == 404, "\(path)")
                #expect(try Self.problem(in: answer).contains("/api/v1/"))
            }
            let foreign = try await client.get("/api/v1/actors", ["Host": "evil.example"])
            #expect(try foreign.status == 403 && Self.problem(in: foreign).contains("--allow-host"))
            let across = try await client.get("/api/v1/nope", ["Sec-Fetch-Site": "cross-site"])
            #expect(try across.status == 403 && Self.problem(in: across).contains("Other sites"))
            let change = try await client.send("DELETE", "/api/v1/actors", [:], body: "")
            #expect(try change.status == 403 && Self.problem(in: change).contains("Origin"))
            let method = try await client.post("/api/v1/actors", form: "")
            #expect(try method.status == 404 && Self.problem(in: method).contains("for POST"))
            // People are told in text.
            #expect(try await client.get("/apiary").headers["content-type"]?.hasPrefix("text/plain") == true)
        }
    }

    @Test(
        "the API refuses what makes no sense, and asks the mesh nothing",
        arguments: [
            ("actors?state=bogus", "state takes pending"), ("actors?parent=bogus", "parent takes"),
            ("actors?order=bogus", "order takes name"), ("ended?limit=none", "limit takes"),
            ("logs?level=bogus", "level takes trace"), ("logs?since=bogus", "since takes"),
            ("logs?until=bogus", "until takes"), ("logs?incarnation=x", "incarnation takes"),
        ])
    func parameters(path: String, problem: String) async throws {
        let mesh = MadeUpMesh { $0.actors = [actor(1)] }
        try await serve(mesh) { client in
            let answer = try await client.get("/api/v1/\(path)")
            #expect(answer.status == 400)
            #expect(try Self.problem(in: answer).contains(problem))
        }
        #expect(mesh.state.withLock { $0.questions } == 0)
    }

    @Test("the API takes a level in any case, and ends where it is told")
    func understood() async throws {
        let mesh = MadeUpMesh { $0.records = [record(1, "loud", level: .error), record(2, "quiet")] }
        try await serve(mesh) { client in
            let loud = try await client.get("/api/v1/logs?level=WARNING").body
            #expect(loud.contains("loud") && !loud.contains("quiet"))
            #expect(try await client.get("/api/v1/logs?until=2027-01-15T09:00:00Z").body.contains("quiet"))
            #expect(try await client.get("/api/v1/logs?until=2027-01-15T07:00:00Z").body == "{\"records\":[]}\n")
        }
    }

    @Test(
        "a page says what makes no sense in its address, with its form, and shows nothing else; also while it is open",
        arguments: [
            ("/actors?state=bogus&text=keep", "state takes pending"), ("/actors/ended?limit=none", "limit takes"),
            ("/logs?level=bogus&text=keep", "level takes trace"), ("/logs?until=%3Cb%3E", "not &quot;&lt;b&gt;&quot;"),
            ("/tree?root=bogus", "root takes the 32"),
        ])
    func pages(path: String, problem: String) async throws {
        let mesh = MadeUpMesh { state in
            state.actors = [actor(1, name: "secret-actor")]
            state.ended = [termination(UniqueID(high: 5, low: 6), name: "secret-actor")]
            state.records = [record(1, "secret-actor")]
        }
        try await serve(mesh) { client in
            let answer = try await client.get(path)
            #expect(answer.status == 400)
            #expect(answer.body.contains(problem) && answer.body.contains("role=\"alert\""))
            #expect(!answer.body.contains("secret-actor"))
            #expect(answer.body.contains("role=\"search\"") == !path.hasPrefix("/tree"))
            #expect(answer.body.contains("value=\"keep\"") == path.contains("keep"))
            let live = try #require(between(answer.body, "data-live=\"", "\""))
            let path = live.replacingOccurrences(of: "&amp;", with: "&")
            let stream = try await client.send("GET", path, [:], body: nil, until: "Show everything")
            #expect(stream.body.contains(problem) && !stream.body.contains("secret-actor"))
        }
    }
}
