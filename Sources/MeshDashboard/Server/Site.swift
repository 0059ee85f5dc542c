import ActorMesh
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import MeshCore
import Synchronization

/// The pages, and the forms on them.
struct Site: Sendable {
    let renderer: PageRenderer
    let sessions: Sessions
    let credentials: Credentials
    let streams: LiveStreams
    let meshName: String
    let cookieName: String
    let logger: Logger

    /// The paths of the pages that show the mesh.
    private static let paths: [RouterPath] = [
        "/", "/nodes", "/actors", "/actors/ended", "/actors/:id", "/tree", "/tasks", "/objects", "/logs",
    ]
    /// No form has more.
    private static let formLimit = 8192

    func add(to router: Router<DashboardContext>) {
        for path in Self.paths {
            router.get(path) { request, _ in await self.page(request) }
            router.get("/live\(path)") { request, _ in self.live(request) }
        }
        router.get("/sign-in") { request, context in self.signInForm(request, context) }
        router.post("/sign-in") { request, context in try await self.signIn(request, context) }
        router.post("/sign-out") { request, _ in try await self.signOut(request) }
        router.get("/actors/:id/kill") { request, context in try await self.killForm(request, context) }
        router.post("/actors/:id/kill") { request, context in try await self.kill(request, context) }
    }

    // MARK: Pages

    private func layout(_ session: Session?) -> Layout {
        Layout(meshName: self.meshName, session: session, version: actorMeshVersion)
    }

    private func session(of request: Request) -> Session? {
        self.sessions.find(request.cookies[self.cookieName]?.value)
    }

    /// The page of an address, and what makes no sense in that.
    private static func page(of request: Request, below prefix: String? = nil) -> (Page, [ParameterProblem])? {
        var path = request.uri.path.split(separator: "/").map(String.init)
        if let prefix, path.first == prefix { path.removeFirst() }
        var reader = ParameterReader(QueryParameters(request.uri.query ?? ""))
        return Page(path: path, &reader).map { ($0, reader.problems) }
    }

    private func page(_ request: Request) async -> Response {
        guard let (page, problems) = Self.page(of: request) else { return self.notFound(request) }
        let session = self.session(of: request)
        let content = await self.renderer.content(of: page, for: session, problems: problems)
        let html = self.layout(session).page(
            title: content.title, section: page.section, live: Self.live(page, problems), comesBack: content.isOld,
            content.html)
        return Response(
            page: html, status: content.isMissing ? .notFound : problems.isEmpty ? .ok : .badRequest)
    }

    /// Where the script gets what is new of a page. What makes no sense makes none there either.
    private static func live(_ page: Page, _ problems: [ParameterProblem]) -> Target {
        var live = page.target
        live.path.insert("live", at: 0)
        for problem in problems where !live.query.contains(where: { $0 == (problem.name, problem.value) }) {
            live.query.append((problem.name, problem.value))
        }
        return live
    }

    private func notFound(_ request: Request) -> Response {
        let html = self.layout(self.session(of: request)).page(
            title: "No such page", "<h1>No such page</h1><p class=\"lead\">There is nothing at this address.</p>")
        return Response(page: html, status: .notFound)
    }

    /// The content of a page whenever it has changed.
    private func live(_ request: Request) -> Response {
        guard let (page, problems) = Self.page(of: request, below: "live") else { return self.notFound(request) }
        let sessionID = self.session(of: request)?.id
        let last = LastContent()
        let tail = problems.isEmpty ? page.logChoice.map(LogTail.init) : nil
        let view = self.renderer.view
        return self.streams.response(
            to: request, beside: { await tail?.follow(view.source, within: view.searchDeadline) }
        ) {
            let content = await self.renderer.content(
                of: page, for: self.sessions.find(sessionID), problems: problems, tail: tail)
            guard last.isNew(content) else { return nil }
            return LiveStreams.event("content", content.html.text)
        }
    }

    // MARK: Signing in

    private func signInForm(_ request: Request, _ context: DashboardContext) -> Response {
        let session = self.session(of: request) ?? self.sessions.begin()
        let next = Self.local(QueryParameters(request.uri.query ?? "")["next"])
        return self.signInPage(session, context, next: next, hasFailed: false)
    }

    private func signInPage(
        _ session: Session, _ context: DashboardContext, next: String, hasFailed: Bool
    ) -> Response {
        let page = SignInPage(
            credentials: self.credentials, isLocal: context.isLocal, session: session, next: next,
            hasFailed: hasFailed)
        var response = Response(
            page: self.layout(session).page(title: "Sign in", page.html), status: hasFailed ? .forbidden : .ok)
        response.setCookie(self.cookie(session.id))
        return response
    }

    private func cookie(_ value: String, maximumAge: Int? = nil) -> Cookie {
        Cookie(
            name: self.cookieName, value: value, maxAge: maximumAge, path: "/", httpOnly: true, sameSite: .strict)
    }

    private func signIn(_ request: Request, _ context: DashboardContext) async throws -> Response {
        guard let (session, form) = try await self.form(of: request) else { return self.staleForm(request) }
        let next = Self.local(form["next"])
        guard context.isLocal, self.credentials.accept(form["secret"] ?? "") else {
            self.logger.warning("somebody tried to sign in, and could not")
            return self.signInPage(session, context, next: next, hasFailed: true)
        }
        self.logger.notice("somebody has signed in")
        var response = Response(seeing: next)
        response.setCookie(self.cookie(self.sessions.begin(isSignedIn: true, after: session).id))
        return response
    }

    private func signOut(_ request: Request) async throws -> Response {
        guard let (session, _) = try await self.form(of: request) else { return self.staleForm(request) }
        self.sessions.end(session)
        var response = Response(seeing: "/")
        response.setCookie(self.cookie("", maximumAge: 0))
        return response
    }

    /// A path of this site; the first page for anything else, so that nobody is led elsewhere.
    private static func local(_ text: String?) -> String {
        guard let text, text.hasPrefix("/"), !text.hasPrefix("//"), !text.contains("\\"), text.utf8.count < 2048,
            text.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return "/" }
        return text
    }

    // MARK: Changes

    /// What was sent by a form of this site, and whose; nil for anything else.
    private func form(of request: Request) async throws -> (Session, QueryParameters)? {
        guard let session = self.session(of: request),
            request.headers[.contentType]?.hasPrefix("application/x-www-form-urlencoded") == true
        else { return nil }
        var request = request
        let form = QueryParameters(String(buffer: try await request.collectBody(upTo: Self.formLimit)))
        guard Secrets.areEqual(form["token"] ?? "", session.token) else { return nil }
        return (session, form)
    }

    private func staleForm(_ request: Request) -> Response {
        let html = self.layout(self.session(of: request)).page(
            title: "Sent too late",
            """
            <h1>Sent too late</h1><p class="lead">The form was made for a session that has ended, or not by this site. \
            Nothing was changed. <a href="/sign-in">Sign in</a> and try again.</p>
            """)
        return Response(page: html, status: .forbidden)
    }

    private func details(_ context: DashboardContext) async -> (ActorDetails, ActorInfo)? {
        guard let id = UniqueID(context.parameters.get("id") ?? "") else { return nil }
        guard let details = await self.renderer.view.details(of: id).value ?? nil, let actor = details.actor else {
            return nil
        }
        return (details, actor)
    }

    private func killForm(_ request: Request, _ context: DashboardContext) async throws -> Response {
        guard let session = self.session(of: request), session.isSignedIn else {
            return Response(seeing: Target("sign-in", query: [("next", request.uri.path)]).text)
        }
        guard let (details, actor) = await self.details(context) else { return self.notFound(request) }
        return self.killPage(KillPage(details: details, actor: actor, session: session))
    }

    private func killPage(_ page: KillPage) -> Response {
        let html = self.layout(page.session).page(
            title: "Kill \(ActorDetailsPage.title(page.details))", section: .actors, page.html)
        return Response(page: html, status: page.problem == nil ? .ok : .badGateway)
    }

    private func kill(_ request: Request, _ context: DashboardContext) async throws -> Response {
        guard let (session, form) = try await self.form(of: request), session.isSignedIn else {
            return self.staleForm(request)
        }
        guard let (details, actor) = await self.details(context) else { return self.notFound(request) }
        do {
            try await self.renderer.view.kill(actor.id, restart: form["restart"] == "yes")
        } catch {
            let problem = (error as? MeshError)?.message ?? "\(error)"
            return self.killPage(KillPage(details: details, actor: actor, session: session, problem: problem))
        }
        self.logger.notice("somebody who has signed in killed an actor", metadata: ["mesh.actor.id": "\(actor.id)"])
        return Response(seeing: Page.actor(actor.id).target.text)
    }
}

/// What a stream has sent last.
private final class LastContent: Sendable {
    private let content = Mutex<Content?>(nil)

    func isNew(_ next: Content) -> Bool {
        self.content.withLock { content in
            guard content != next else { return false }
            content = next
            return true
        }
    }
}
