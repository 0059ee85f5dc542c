public import Distributed

/// What happens to an actor's children when one of them dies unexpectedly.
///
/// A child that is killed, exits, is stopped or has no handle any more is not restarted. Restarted children keep their
/// handles and names and are made from the same arguments; their `maxRestarts` is not consulted.
///
/// The terms are those of Erlang's supervisors.
public struct Supervision: Hashable, Sendable, Codable {
    /// Which children are started again.
    public var strategy: Strategy
    /// How many restarts within the time are borne; with one more the supervisor gives up: it ends all its children
    /// and counts as having died itself, with the cause `restartsExhausted`.
    public var maxRestarts: Int
    /// The time in which restarts are counted.
    public var within: Duration
    /// How long to wait before a restart.
    public var backoff: Backoff

    /// One for one, at most three restarts in five seconds.
    public init(
        strategy: Strategy = .oneForOne, maxRestarts: Int = 3, within: Duration = .seconds(5),
        backoff: Backoff = Backoff()
    ) {
        self.strategy = strategy
        self.maxRestarts = max(0, maxRestarts)
        self.within = within
        self.backoff = backoff
    }

    /// Which children are started again when one has died.
    public enum Strategy: String, Hashable, Sendable, Codable {
        /// Only the one that died.
        case oneForOne
        /// All: the others are ended first, the youngest first, then all are started in the order of their making.
        case oneForAll
        /// The one that died and those that were made after it.
        case restForOne
    }

    /// What a supervisor decides about a child that has died.
    public enum Decision: String, Hashable, Sendable, Codable {
        /// Start it again, as the strategy says.
        case restart
        /// Leave it dead.
        case stop
        /// Give up, as when there were too many restarts.
        case escalate
    }
}

/// How long to wait between restarts: nothing before the first, then `initial`, and `factor` times as long each time
/// up to `maximum`. An actor that has lived for `resetAfter` begins anew.
public struct Backoff: Hashable, Sendable, Codable {
    /// The wait before the second restart in a row.
    public var initial: Duration
    /// The longest wait.
    public var maximum: Duration
    /// By what each wait is longer than the one before.
    public var factor: Double
    /// How long a life makes the next death the first again.
    public var resetAfter: Duration

    /// Nothing, 100 ms, 200 ms, 400 ms, … 30 s; after a minute of life from the beginning.
    public init(
        initial: Duration = .milliseconds(100), maximum: Duration = .seconds(30), factor: Double = 2,
        resetAfter: Duration = .seconds(60)
    ) {
        self.initial = initial
        self.maximum = maximum
        self.factor = max(1, factor)
        self.resetAfter = resetAfter
    }

    /// The wait before a restart.
    ///
    /// - Parameter restarts: how many restarts in a row there were before.
    public func delay(after restarts: Int) -> Duration {
        guard restarts > 0 else { return .zero }
        var delay = self.initial
        for _ in 1..<max(1, min(restarts, 64)) where delay < self.maximum { delay = delay * self.factor }
        return min(delay, self.maximum)
    }
}

/// An actor that decides about its children when they die.
///
/// Spawned children of an actor are its children: those that it spawns in its initialiser and in its methods.
///
/// ```swift
/// distributed actor Trainers: Supervisor {
///     static var supervision: Supervision { .init(strategy: .oneForAll) }
///     func childDied(_ child: ActorTermination) async -> Supervision.Decision {
///         child.cause == .outOfMemory ? .escalate : .restart
///     }
/// }
/// ```
public protocol Supervisor: RemoteActor {
    /// What holds for its children, unless ``ActorOptions/supervision`` says otherwise.
    static var supervision: Supervision { get }

    /// Decides about a child that died unexpectedly. Runs beside the actor's calls, not in their order, as soon as the
    /// actor is free to run it; when it does not answer within five seconds the child is restarted.
    func childDied(_ child: ActorTermination) async -> Supervision.Decision
}

extension Supervisor {
    /// One for one, at most three restarts in five seconds.
    public static var supervision: Supervision { Supervision() }

    /// Restarts it.
    public func childDied(_ child: ActorTermination) async -> Supervision.Decision { .restart }
}
