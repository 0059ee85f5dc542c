import ActorMesh
import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
import MeshCore
public import MeshRuntime
import MeshSecurity
import NIOCore
public import ServiceLifecycle

/// The pages that show a mesh in a browser, served by this process.
///
/// ```swift
/// try await withMesh(MeshConfiguration(address: "tcp://127.0.0.1:4711")) { mesh in
///     let dashboard = try Dashboard(of: mesh, DashboardConfiguration(port: 0)) { address in print(address) }
///     try await dashboard.run()
/// }
/// ```
///
/// Whoever reaches it can look; whoever has signed in can also kill actors. What it guards against stands in the article
/// <doc:Dashboard> of ActorMesh.
public struct Dashboard: Service {
    private let source: any MeshSource
    private let configuration: DashboardConfiguration
    private let credentials: Credentials
    private let meshName: String
    private let logger: Logger
    private let whenReady: @Sendable (String) -> Void

    /// Makes a dashboard; it does not listen yet.
    ///
    /// - Parameters:
    ///   - mesh: the mesh to show, of which this process is a part.
    ///   - whenReady: called with the address to open when it listens.
    /// - Throws: `invalidArgument` for an address at which it must not listen; `unauthorized` when the key cannot be read;
    ///   `systemFailure` when there is no place for the code by which one signs in to a mesh without a key.
    public init(
        of mesh: Mesh, _ configuration: DashboardConfiguration = DashboardConfiguration(),
        logger: Logger = Logger(label: "actormesh.dashboard"),
        whenReady: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        let credentials = try Credentials(keyFile: configuration.keyFile) { () throws(MeshError) in
            // The port tells those of one user apart, and is known before it is bound, unless any will do.
            let number = configuration.port == 0 ? mesh.address.peer.description : String(configuration.port)
            return try privateFile("dashboard-\(number).code")
        }
        let endpoint = (try? mesh.membership.endpoint) ?? nil
        try self.init(
            source: mesh, configuration, credentials: credentials,
            meshName: configuration.meshName ?? endpoint ?? "embedded mesh", logger: logger, whenReady: whenReady)
    }

    /// A dashboard of anything that answers like a mesh.
    package init(
        source: any MeshSource, _ configuration: DashboardConfiguration, credentials: Credentials, meshName: String,
        logger: Logger, whenReady: @escaping @Sendable (String) -> Void
    ) throws {
        try configuration.check()
        self.source = source
        self.configuration = configuration
        self.credentials = credentials
        self.meshName = meshName
        self.logger = logger
        self.whenReady = whenReady
    }

    /// Serves until the task is cancelled or the service group shuts down.
    ///
    /// - Throws: `systemFailure` when it cannot listen at its address, as when somebody else does.
    public func run() async throws {
        let history = EventHistory()
        let source = self.source
        let server = self.makeServer(history)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await history.follow(source) }
            group.addTask {
                do {
                    try await server.run()
                } catch let error as IOError {
                    throw self.bindingFailure(error)
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func makeServer(_ history: EventHistory) -> some Service {
        let view = MeshView(self.source, deadline: self.configuration.patience)
        let streams = LiveStreams(interval: self.configuration.refreshInterval)
        let router = Router(context: DashboardContext.self, options: .autoGenerateHeadEndpoints)
        let hosts = self.configuration.allowedHosts + [self.configuration.urlHost]
        router.add(middleware: SecurityHeaders())
        router.add(middleware: ErrorGuard(logger: self.logger))
        router.add(middleware: PolicyGuard(policy: RequestPolicy(allowing: hosts)))
        let sessions = Sessions()
        let cookieName = "mesh-session-\(self.configuration.port)"
        if self.configuration.isPrivate {
            router.add(middleware: SignInGuard(sessions: sessions, cookieName: cookieName))
        }
        AssetRoutes().add(to: router)
        APIRoutes(view: view, history: history, streams: streams).add(to: router)
        MetricsRoute(exporter: MetricsExporter(self.source, deadline: self.configuration.patience)).add(to: router)
        Site(
            renderer: PageRenderer(view: view, history: history), sessions: sessions, credentials: self.credentials,
            streams: streams, meshName: self.meshName, cookieName: cookieName,
            logger: self.logger
        ).add(to: router)
        // What the library has to say is that it listens, which `whenReady` does, and that it was cancelled, which is meant.
        var quiet = self.logger
        quiet.logLevel = .critical
        let (whenReady, host) = (self.whenReady, self.configuration.urlHost)
        return Application(
            router: router,
            server: .http1(configuration: HTTP1Channel.Configuration(idleTimeout: .seconds(10))),
            configuration: ApplicationConfiguration(
                address: .hostname(self.configuration.host, port: self.configuration.port),
                availableConnectionsDelegate: .maximum(256, logger: quiet)),
            onServerRunning: { channel in whenReady("http://\(host):\(channel.localAddress?.port ?? 0)/") },
            logger: quiet)
    }

    private func bindingFailure(_ error: IOError) -> MeshError {
        let address = "\(self.configuration.urlHost):\(self.configuration.port)"
        return MeshError(
            .systemFailure,
            "The dashboard cannot listen at \(address): \(String(cString: strerror(error.errnoCode))).")
    }
}
