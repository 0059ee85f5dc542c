public import ActorMesh
import Glibc

/// Its initialiser and its method fail in the way they are told.
public distributed actor Moody: RemoteActor {
    /// How to behave.
    public enum Mood: String, Codable, Sendable, CaseIterable {
        /// Well.
        case good
        /// Throw an error that can travel.
        case refuses
        /// Throw one that cannot.
        case whims
        /// End the process.
        case crashes
    }

    /// What the initialiser takes.
    public struct Arguments: Codable, Sendable {
        /// How the initialiser behaves.
        public var mood: Mood

        /// Makes arguments.
        public init(mood: Mood) { self.mood = mood }
    }

    /// Behaves as told.
    public init(_ arguments: Arguments, actorSystem: Mesh) throws {
        self.actorSystem = actorSystem
        try Self.act(arguments.mood)
    }

    /// Behaves as told.
    public distributed func act(_ mood: Mood) throws -> String {
        try Self.act(mood)
        return "fine"
    }

    private static func act(_ mood: Mood) throws {
        switch mood {
        case .good: break
        case .refuses: throw Refusal.insufficient(missing: 3)
        case .whims: throw Whim(reason: "the weather")
        case .crashes: kill(getpid(), SIGKILL)
        }
    }
}
