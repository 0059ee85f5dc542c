public import ActorMesh

/// Takes, keeps and gives out handles, in all places where a handle can be.
public distributed actor Switchboard: RemoteActor {
    private var lines: [String: Blocker] = [:]

    /// Makes one without lines.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// A handle as an argument, kept.
    public distributed func connect(_ name: String, _ actor: Blocker) { self.lines[name] = actor }

    /// Handles inside a collection.
    public distributed func connectAll(_ actors: [String: Blocker]) {
        self.lines.merge(actors) { $1 }
    }

    /// A handle as a result.
    public distributed func line(_ name: String) -> Blocker? { self.lines[name] }

    /// Handles inside a collection as a result.
    public distributed func all() -> [Line] {
        self.lines.sorted { $0.key < $1.key }.map { Line(name: $0.key, actor: $0.value) }
    }

    /// Calls the actor of a line.
    public distributed func ring(_ name: String) async throws -> Int {
        guard let actor = self.lines[name] else { throw Refusal.closed }
        return try await actor.count()
    }

    /// A handle in a field.
    public struct Line: Codable, Sendable {
        /// Its name.
        public var name: String
        /// Whom it reaches.
        public var actor: Blocker
    }
}

/// A handle in a task's field, and one in its result.
public struct RingTask: RemoteTask {
    /// Whom to call.
    public var actor: Blocker

    /// Makes the task.
    public init(actor: Blocker) { self.actor = actor }

    /// Calls it, and gives it back.
    public func run(on mesh: Mesh) async throws -> Switchboard.Line {
        Switchboard.Line(name: "call \(try await self.actor.count())", actor: self.actor)
    }
}

/// An actor that makes others: in its initialiser, and when told.
public distributed actor Parent: RemoteActor {
    private var children: [Blocker]

    /// Makes one child.
    public init(actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        self.children = [try await actorSystem.spawn(Blocker.self)]
    }

    /// The children.
    public distributed func family() -> [Blocker] { self.children }

    /// Makes one more.
    public distributed func grow() async throws -> Blocker {
        let child = try await self.actorSystem.spawn(Blocker.self)
        self.children.append(child)
        return child
    }
}
