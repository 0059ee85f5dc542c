import ActorMesh
import Foundation
import Logging
import MeshCore
import MeshRuntime
import Synchronization
import Testing

@testable import MeshDashboard

@Suite("The dashboard as a server")
struct ServerTests {
    private static let code = HTTPClient.code

    private static let pages = [
        "/", "/nodes", "/actors", "/actors/ended", "/tree", "/tasks", "/objects", "/logs", "/sign-in",
    ]

    @Test("every page is there, whole, and allows nothing but this site's own files")
    func pages() async throws {
        let mesh = MadeUpMesh { $0.actors = [actor(1, name: "one")] }
        try await serve(mesh) { client in
            for path in Self.pages {
                let answer = try await client.get(path)
                #expect(answer.status == 200, "\(path)")
                #expect(answer.body.hasPrefix("<!doctype html>") && answer.body.contains("</html>"), "\(path)")
                #expect(answer.body.contains("a &lt;mesh&gt;"))
                let policy = try #require(answer.headers["content-security-policy"])
                #expect(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"))
                #expect(!policy.contains("unsafe"))
                #expect(policy.contains("frame-ancestors 'none'"))
                #expect(answer.headers["x-content-type-options"] == "nosniff")
                #expect(answer.headers["cache-control"] == "no-store")
                // Nothing in it would have to be allowed.
                #expect(!answer.body.contains("style=") && !answer.body.contains("onclick"))
                #expect(!answer.body.contains("http://www") && !answer.body.contains("https://"))
            }
            for file in ["dashboard.css", "dashboard.js", "icon.svg"] {
                #expect(try await client.get("/static/\(file)").status == 200)
            }
            #expect(try await client.get("/nothing").status == 404)
            #expect(try await client.get("/actors/\(UniqueID(high: 9, low: 9))").status == 404)
            #expect(
                try await client.send("DELETE", "/actors", ["Origin": "http://127.0.0.1:\(client.port)"], body: "")
                    .status
                    >= 400)
        }
    }

    @Test("by a name that is not its own it is not reached (DNS rebinding)")
    func rebinding() async throws {
        try await serve(MadeUpMesh()) { client in
            for path in Self.pages + ["/api/v1/overview", "/metrics", "/live", "/static/dashboard.js"] {
                let answer = try await client.get(path, ["Host": "evil.example:\(client.port)"])
                #expect(answer.status == 403, "\(path)")
                #expect(!answer.body.contains("actor"))
            }
            #expect(try await client.get("/", ["Host": "mesh.example"]).status == 200)
            #expect(try await client.get("/api/v1/overview", ["Sec-Fetch-Site": "cross-site"]).status == 403)
        }
    }

    /// Signs in, and returns the cookie and the token of the forms.
    private static func signIn(
        _ client: HTTPClient, _ secret: String = code
    ) async throws -> (cookie: String, token: String) {
        let form = try await client.get("/sign-in?next=/nodes")
        let (cookie, token) = try self.session(in: form)
        let answer = try await client.post(
            "/sign-in", ["Cookie": cookie], form: "token=\(token)&next=%2Fnodes&secret=\(secret)")
        #expect(answer.status == 303)
        #expect(answer.headers["location"] == "/nodes")
        let signedIn = try #require(answer.headers["set-cookie"]?.split(separator: ";").first.map(String.init))
        #expect(signedIn != cookie)
        let page = try await client.get("/", ["Cookie": signedIn])
        return (signedIn, try #require(between(page.body, "name=\"token\" value=\"", "\"")))
    }

    private static func session(in answer: HTTPClient.Answer) throws -> (cookie: String, token: String) {
        let header = try #require(answer.headers["set-cookie"])
        #expect(header.contains("HttpOnly") && header.contains("SameSite=Strict"))
        let cookie = try #require(header.split(separator: ";").first.map(String.init))
        return (cookie, try #require(between(answer.body, "name=\"token\" value=\"", "\"")))
    }

    @Test("whoever has signed in kills an actor by the form, and nobody else does")
    func killing() async throws {
        let mesh = MadeUpMesh { $0.actors = [actor(1, name: "one"), actor(2, name: "two")] }
        let (one, two) = (UniqueID(high: 1, low: 2), UniqueID(high: 1, low: 4))
        try await serve(mesh) { client in
            #expect(
                try await client.get("/actors/\(one)/kill").headers["location"]
                    == "/sign-in?next=%2Factors%2F\(one)%2Fkill")
            #expect(try await client.post("/actors/\(one)/kill", form: "").status == 403)
            // The form to sign in gives a session, which is not enough.
            let (early, earlyToken) = try Self.session(in: try await client.get("/sign-in"))
            #expect(
                try await client.post("/actors/\(one)/kill", ["Cookie": early], form: "token=\(earlyToken)").status
                    == 403)
            #expect(try await client.get("/actors/\(one)/kill", ["Cookie": early]).status == 303)
            let (cookie, token) = try await Self.signIn(client)
            #expect(
                try await client.get("/actors/\(one)/kill", ["Cookie": cookie]).body.contains(
                    "Kill Counter &quot;one&quot;?")
            )
            // Without the token, with another's, from another site, or as another kind of content: nothing.
            for (headers, form) in [
                ([:], ""), ([:], "token=\(earlyToken)"), (["Origin": "http://evil.example"], "token=\(token)"),
                (["Origin": "http://127.0.0.1:1"], "token=\(token)"),
                (["Sec-Fetch-Site": "same-site"], "token=\(token)"),
                (["Content-Type": "text/plain"], "token=\(token)"),
                (["Origin": "", "Sec-Fetch-Site": ""], "token=\(token)"),
            ] as [([String: String], String)] {
                let answer = try await client.post(
                    "/actors/\(one)/kill", headers.merging(["Cookie": cookie]) { $1 }, form: form)
                #expect(answer.status == 403, "\(headers) \(form)")
            }
            #expect(mesh.state.withLock { $0.killed }.isEmpty)
            let answer = try await client.post("/actors/\(one)/kill", ["Cookie": cookie], form: "token=\(token)")
            #expect(answer.status == 303 && answer.headers["location"] == "/actors/\(one)")
            #expect(mesh.state.withLock { $0.killed } == [one])
            #expect(try await client.get("/actors/\(one)").body.contains("it was killed"))
            // After signing out the cookie is worth nothing.
            #expect(try await client.post("/sign-out", ["Cookie": cookie], form: "token=\(token)").status == 303)
            #expect(
                try await client.post("/actors/\(two)/kill", ["Cookie": cookie], form: "token=\(token)").status == 403)
            #expect(mesh.state.withLock { $0.killed } == [one])
        }
    }

    @Test("a wrong code does not sign in, and nobody is led to another site")
    func signingIn() async throws {
        try await serve(MadeUpMesh()) { client in
            let (cookie, token) = try Self.session(in: try await client.get("/sign-in"))
            for secret in ["", "wrong", Self.code + "0", String(repeating: "x", count: 7000)] {
                let answer = try await client.post(
                    "/sign-in", ["Cookie": cookie], form: "token=\(token)&secret=\(secret)")
                #expect(answer.status == 403)
                #expect(answer.body.contains("That is not it"))
            }
            #expect(try await client.post("/sign-in", form: "secret=\(Self.code)").status == 403)
            let large = try await client.post(
                "/sign-in", ["Cookie": cookie], form: String(repeating: "x", count: 100_000))
            #expect(large.status == 413)
            for next in ["//evil.example", "https%3A%2F%2Fevil.example", "%2F%5Cevil.example", "/a%0d%0aX:y"] {
                let answer = try await client.get("/sign-in?next=\(next)", ["Cookie": cookie])
                #expect(answer.body.contains("name=\"next\" value=\"/\""), "\(next)")
            }
        }
    }

    @Test("at a dashboard that can only look there is nothing to sign in to")
    func readOnly() async throws {
        try await serve(MadeUpMesh(), credentials: .none(reason: "It has an observer's key.")) { client in
            let form = try await client.get("/sign-in")
            #expect(form.body.contains("observer"))
            #expect(!form.body.contains("type=\"password\""))
        }
    }

    @Test("a private dashboard shows nothing to who has not signed in")
    func isPrivate() async throws {
        let mesh = MadeUpMesh { $0.actors = [actor(1, name: "one")] }
        try await serve(mesh, isPrivate: true) { client in
            for path in Self.pages where path != "/sign-in" {
                let answer = try await client.get(path)
                #expect(answer.status == 303 && answer.headers["location"]?.hasPrefix("/sign-in") == true, "\(path)")
            }
            for path in ["/api/v1/actors", "/api/v1/events", "/live/actors"] {
                #expect(try await client.get(path).status == 401, "\(path)")
            }
            let (early, _) = try Self.session(in: try await client.get("/sign-in"))
            #expect(try await client.get("/actors", ["Cookie": early]).status == 303)
            let (cookie, _) = try await Self.signIn(client)
            #expect(try await client.get("/actors", ["Cookie": cookie]).body.contains(">one<"))
        }
    }

    @Test("a page that is open gets what is new, and only then")
    func live() async throws {
        let mesh = MadeUpMesh { $0.actors = [actor(1, name: "one")] }
        try await serve(mesh) { client in
            let first = try await client.send("GET", "/live/actors", [:], body: nil, until: "name\">one<")
            #expect(first.headers["content-type"] == "text/event-stream")
            #expect(first.body.contains("event: content\ndata: ") || first.body.contains("event: content"))
            async let second = client.send("GET", "/live/actors", [:], body: nil, until: "name\">two<")
            mesh.change { $0.actors.append(actor(2, name: "two")) }
            #expect(try await second.body.contains("name\">two<"))
        }
    }

    @Test("what is said shows on a page that is open, each line once")
    func liveLog() async throws {
        let mesh = MadeUpMesh { $0.records = [record(1, "first")] }
        try await serve(mesh) { client in
            async let heard = client.send("GET", "/live/logs?text=i", [:], body: nil, until: ">third<")
            // Only once somebody follows can something be said that he has to hear.
            while mesh.state.withLock({ $0.followers.isEmpty }) { try await Task.sleep(for: .milliseconds(5)) }
            mesh.says(record(2, "second"))
            mesh.says(record(3, "third"))
            mesh.says(record(4, "fifth"))
            let body = try await heard.body
            let last = try #require(body.components(separatedBy: "event: content").last)
            #expect(last.components(separatedBy: ">first<").count == 2)
            #expect(!last.contains("second"))
        }
    }

    @Test("the JSON API says the same, and while the mesh is away that it does not know")
    func api() async throws {
        let mesh = MadeUpMesh { state in
            state.actors = [actor(1, name: "one"), actor(2)]
            state.ended = [termination(UniqueID(high: 5, low: 6), name: "gone")]
            let speaker = LogRecord.Actor(
                typeName: "app.Counter", name: nil, id: UniqueID(high: 1, low: 2), incarnation: 2)
            state.records = [
                record(1, "warned", level: .warning), record(2, "\u{1b}[31m<loud>", level: .error, actor: speaker),
                record(3, "quiet", driver: PeerID(77)),
            ]
            state.statistics = [figures(of: state.actors[0], calls: 5)]
        }
        try await serve(mesh) { client in
            func read<Value: Decodable>(_ path: String, as type: Value.Type, status: Int = 200) async throws -> Value {
                let answer = try await client.get("/api/v1\(path)")
                #expect(answer.status == status, "\(path)")
                #expect(answer.headers["content-type"]?.hasPrefix("application/json") == true)
                let decoder = JSONDecoder()
                decoder.dateDecodingStrategy = .iso8601
                return try decoder.decode(type, from: Data(answer.body.utf8))
            }
            #expect(try await read("/overview", as: DashboardAPI.Overview.self).actors == 2)
            let page = try await read("/actors?limit=1&offset=1", as: DashboardAPI.Actors.self)
            #expect(page.matching == 2 && page.actors.count == 1 && page.offset == 1 && page.limit == 1)
            #expect(page.actors[0].pid == 7 && page.actors[0].name == nil)
            #expect(try await read("/ended", as: DashboardAPI.EndedActors.self).ended[0].cause == "killed")
            let one = try await read("/actors/\(UniqueID(high: 1, low: 2))", as: DashboardAPI.ActorState.self)
            #expect(one.actor?.name == "one" && one.ended == nil)
            #expect(try await read("/actors/xyz", as: DashboardAPI.Problem.self, status: 400).error.contains("32"))
            _ = try await read("/actors/\(UniqueID(high: 9, low: 8))", as: DashboardAPI.Problem.self, status: 404)
            _ = try await read("/nodes", as: [DashboardAPI.Node].self)
            _ = try await read("/tasks", as: DashboardAPI.Tasks.self)
            let log = try await read("/logs?level=warning&limit=1", as: DashboardAPI.Logs.self).records
            #expect(log.map(\.text) == ["\u{1b}[31m<loud>"] && log[0].date == "2027-01-15T08:00:00.250Z")
            #expect(log[0].actor?.type == "app.Counter" && log[0].actor?.incarnation == 2)
            #expect(log[0].driver == nil)
            let quiet = try await read("/logs?text=quiet", as: DashboardAPI.Logs.self).records
            #expect(quiet.map(\.driver) == [PeerID(77).description])
            let process = try #require(try await read("/statistics", as: DashboardAPI.Statistics.self).processes.first)
            #expect(process.role == "worker" && process.processorSeconds == 2)
            #expect(process.actors[0].calls == 5 && process.actors[0].busySeconds == 1.5)
            #expect((0.003...0.004).contains(try #require(process.actors[0].p99Seconds)))
            mesh.change { $0.failure = MeshError(.brokerUnavailable, "The broker is away.") }
            let problem = try await read("/actors?text=new", as: DashboardAPI.Problem.self, status: 503)
            #expect(problem.error == "The broker is away." && problem.lastHeard != nil)
        }
    }

    @Test("events go to those who listen for them")
    func events() async throws {
        let mesh = MadeUpMesh()
        try await serve(mesh) { client in
            let date = Date(timeIntervalSince1970: 1_800_000_000)
            async let heard = client.send("GET", "/api/v1/events", [:], body: nil, until: "nodeJoined")
            // Whoever begins to listen later does not hear it: it happens again until somebody does.
            let happening = Task {
                while !Task.isCancelled {
                    mesh.happens(MeshEvent(.nodeJoined, date: date, subject: "one", message: "joined\nat last"))
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            let answer = try await heard
            happening.cancel()
            #expect(answer.body.contains("event: event"))
            #expect(answer.body.contains("\"kind\":\"nodeJoined\"") && answer.body.contains("joined\\nat last"))
        }
    }

    @Test("an address that is taken is told as such")
    func taken() async throws {
        try await serve(MadeUpMesh()) { client in
            let second = try Dashboard(
                source: MadeUpMesh(), DashboardConfiguration(port: Int(client.port)), credentials: .none(reason: ""),
                meshName: "", logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ) { _ in }
            let error = await #expect(throws: MeshError.self) { try await second.run() }
            #expect(error?.message.contains("cannot listen at 127.0.0.1:\(client.port)") == true)
        }
    }
}
