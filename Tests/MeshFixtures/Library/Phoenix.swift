public import ActorMesh
import Glibc

/// An actor that tells which life it is in, and what it remembers.
public distributed actor Phoenix: RemoteActor {
    /// What it is made from.
    public struct Arguments: Codable, Sendable {
        public var motto: String
        public init(motto: String) { self.motto = motto }
    }

    /// What it knows.
    public struct State: Codable, Sendable, Hashable {
        public var motto: String
        public var incarnation: UInt64
        public var process: Int32
        public var calls: Int
    }

    private let motto: String
    private var calls = 0

    public init(_ arguments: Arguments, actorSystem: Mesh) {
        self.actorSystem = actorSystem
        self.motto = arguments.motto
    }

    public distributed func state() -> State {
        self.calls += 1
        return State(
            motto: self.motto, incarnation: ActorContext.current.incarnation, process: getpid(), calls: self.calls)
    }

    public distributed func reset() { self.calls = 0 }

    /// Ends itself.
    public distributed func exit() throws { try ActorContext.current.exit() }
}
