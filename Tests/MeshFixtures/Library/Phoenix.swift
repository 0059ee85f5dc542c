public import ActorMesh
import Glibc

/// An actor that tells which life it is in, and what it remembers.
public distributed actor Phoenix: RemoteActor {
    /// What it is made from.
    public struct Arguments: Codable, Sendable {
        /// What it goes by.
        public var motto: String

        /// With a motto.
        public init(motto: String) { self.motto = motto }
    }

    /// What it knows.
    public struct State: Codable, Sendable, Hashable {
        /// What it was made with.
        public var motto: String
        /// Which life it is in.
        public var incarnation: UInt64
        /// Where it lives.
        public var process: Int32
        /// How often it was asked in this life.
        public var calls: Int
    }

    private let motto: String
    private var calls = 0

    /// Makes one.
    public init(_ arguments: Arguments, actorSystem: Mesh) {
        self.actorSystem = actorSystem
        self.motto = arguments.motto
    }

    /// Tells, and counts that.
    public distributed func state() -> State {
        self.calls += 1
        return State(
            motto: self.motto, incarnation: ActorContext.current.incarnation, process: getpid(), calls: self.calls)
    }

    /// Forgets how often it was asked.
    public distributed func reset() { self.calls = 0 }

    /// Ends itself.
    public distributed func exit() throws { try ActorContext.current.exit() }
}

/// Has a phoenix that it made itself.
public distributed actor Hatchery: RemoteActor {
    private let phoenix: Phoenix

    /// Makes it, and does not call it.
    public init(actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        self.phoenix = try await actorSystem.spawn(
            Phoenix.self, .init(motto: "hatched"), options: .init(maxRestarts: .unlimited))
    }

    /// Gives the handle away.
    public distributed func child() -> Phoenix { self.phoenix }

    /// Asks it.
    public distributed func state() async throws -> Phoenix.State { try await self.phoenix.state() }
}
