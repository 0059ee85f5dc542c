import HTTPTypes
import Hummingbird
import Logging

/// What every answer says to the browser, so that a mistake elsewhere does less harm: nothing but this site's own files
/// may run, be shown or be sent to.
struct SecurityHeaders: RouterMiddleware {
    typealias Context = DashboardContext

    private static let policy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
        "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    func handle(
        _ request: Request, context: DashboardContext,
        next: @concurrent (Request, DashboardContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers[.contentSecurityPolicy] = Self.policy
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[Self.named("X-Frame-Options")] = "DENY"
        response.headers[Self.named("Referrer-Policy")] = "same-origin"
        response.headers[Self.named("Cross-Origin-Opener-Policy")] = "same-origin"
        response.headers[Self.named("Cross-Origin-Resource-Policy")] = "same-origin"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return response
    }

    private static func named(_ text: StaticString) -> HTTPField.Name {
        // These are names.
        HTTPField.Name(text.description) ?? .cacheControl
    }
}

/// Refuses what the policy refuses, before anything looks at it.
struct PolicyGuard: RouterMiddleware {
    typealias Context = DashboardContext
    let policy: RequestPolicy

    func handle(
        _ request: Request, context: DashboardContext,
        next: @concurrent (Request, DashboardContext) async throws -> Response
    ) async throws -> Response {
        let headers = request.headers
        let facts = RequestPolicy.Facts(
            authority: request.head.authority, isChange: ![.get, .head].contains(request.method),
            origin: headers[.origin], fetchSite: headers[Self.fetchSite], fetchMode: headers[Self.fetchMode])
        guard let refusal = self.policy.refusal(facts) else { return try await next(request, context) }
        return Response(problem: refusal, to: request, status: .forbidden)
    }

    private static let fetchSite = HTTPField.Name("Sec-Fetch-Site") ?? .referer
    private static let fetchMode = HTTPField.Name("Sec-Fetch-Mode") ?? .referer
}

/// Lets nobody look who has not signed in, where that is wanted.
struct SignInGuard: RouterMiddleware {
    typealias Context = DashboardContext
    let sessions: Sessions
    let cookieName: String

    func handle(
        _ request: Request, context: DashboardContext,
        next: @concurrent (Request, DashboardContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        let isOpen = path == "/sign-in" || path.hasPrefix("/static/")
        let session = self.sessions.find(request.cookies[self.cookieName]?.value)
        if isOpen || session?.isSignedIn == true { return try await next(request, context) }
        guard !request.isForAPI, !path.hasPrefix("/live"), request.method == .get else {
            return Response(problem: "Sign in first, at /sign-in.", to: request, status: .unauthorized)
        }
        return Response(seeing: Target("sign-in", query: [("next", path)]).text)
    }
}

/// Says what went wrong, and nothing of how it looks inside.
struct ErrorGuard: RouterMiddleware {
    typealias Context = DashboardContext
    let logger: Logger

    func handle(
        _ request: Request, context: DashboardContext,
        next: @concurrent (Request, DashboardContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as any HTTPResponseError {
            return Response(problem: Self.text(of: error, request), to: request, status: error.status)
        } catch {
            self.logger.error("a request failed", metadata: ["error": "\(error)"])
            return Response(
                problem: "This page failed. The dashboard's log says why.", to: request, status: .internalServerError)
        }
    }

    private static func text(of error: any HTTPResponseError, _ request: Request) -> String {
        guard error.status == .notFound else { return "\(error.status.reasonPhrase)." }
        return request.isForAPI
            ? "There is nothing at this address for \(request.method.rawValue). What there is stands in the article "
                + "\"Looking at a mesh\" of ActorMesh; all of it begins with /api/v1/."
            : "There is no such page."
    }
}

extension Request {
    /// Whether a program asks, which understands JSON.
    var isForAPI: Bool { self.uri.path.split(separator: "/").first == "api" }
}

extension Response {
    /// A page.
    init(page: HTML, status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: "text/html; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: page.text)))
    }

    init(text: String, status: HTTPResponse.Status) {
        self.init(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// What is wrong: for programs as JSON with the key `error`, for people as text.
    init(problem: String, to request: Request, status: HTTPResponse.Status) {
        if request.isForAPI, let answer = try? Response(json: DashboardAPI.Problem(error: problem), status: status) {
            self = answer
        } else {
            self.init(text: problem + "\n", status: status)
        }
    }

    /// An answer of the JSON API.
    init(json value: some Encodable, status: HTTPResponse.Status = .ok) throws {
        self.init(
            status: status, headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: try DashboardAPI.text(of: value) + "\n")))
    }

    /// The way to another page, after something was changed.
    init(seeing target: String) {
        self.init(status: .seeOther, headers: [.location: target], body: ResponseBody())
    }
}
