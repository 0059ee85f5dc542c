import MeshCore
public import MeshRuntime

/// A piece of work without state of its own, which runs in some worker process of the mesh.
///
/// Its fields are its arguments; they travel encoded. Handles to actors and references to objects may be among them.
///
/// ```swift
/// struct Publish: RemoteTask {
///     var messages: MessageActor
///     func run(on mesh: Mesh) async throws -> Done {
///         try await messages.add("hello")
///         return Done()
///     }
/// }
/// let done = try await mesh.submit(Publish(messages: messages))
/// ```
///
/// A task whose process dies runs again, as often as ``TaskOptions/maxRetries`` says, so what it does to the world
/// should bear being done twice.
public protocol RemoteTask: Codable, Sendable {
    /// What it results in; ``Done`` for nothing. A ``MeshStream`` for results one after another: then the task has its
    /// worker and its resources until the stream was read to its end, or has no reader any more and its writer has heard
    /// so and let go of it.
    associatedtype Output: Codable & Sendable

    /// Does the work. What it throws reaches whoever awaits its result.
    func run(on mesh: Mesh) async throws -> Output
}

/// The empty result.
public struct Done: Codable, Hashable, Sendable {
    /// Nothing.
    public init() {}
}

/// How a task is run.
public struct TaskOptions: Sendable {
    /// A name for people.
    public var name: String?
    /// How often it may run again when its process died, and how often when it threw an error that ``retryOn`` names.
    public var maxRetries: Limit
    /// The types of the errors after which it runs again; none, if nothing is said. They must be `Codable`, so that they
    /// arrive as themselves. One that was cancelled never runs again.
    public var retryOn: [any Error.Type]
    /// What it has of its node as long as it runs; nil: one of the node's slots for tasks, of which there are as many as
    /// CPUs.
    public var resources: Resources?
    /// How long it may take from submission to result; nil for any time. A stream that is the result may take longer.
    public var timeout: Duration?

    /// Three retries, as long as it takes.
    public init(
        name: String? = nil, maxRetries: Limit = 3, retryOn: [any Error.Type] = [], timeout: Duration? = nil,
        resources: Resources? = nil
    ) {
        self.name = name
        self.maxRetries = maxRetries
        self.retryOn = retryOn
        self.timeout = timeout
        self.resources = resources
    }

    /// Whether a task that threw an error runs again.
    func allowsRetry(after error: any Error) -> Bool {
        if let error = error as? MeshError, error.code == .cancelled { return false }
        return self.retryOn.contains { $0 == type(of: error) }
    }
}
