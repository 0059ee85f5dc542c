public import ActorMesh

/// Has a scribe write all the time, from a process of its own.
public distributed actor Clerk: RemoteActor {
    private var work: Task<Void, Never>?

    /// Makes one that does nothing yet.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Begins to have the scribe write under a name, again and again, until that fails.
    public distributed func begin(_ scribe: Scribe, as name: String) {
        self.work = Task {
            var number = 0
            while (try? await scribe.write(name, number)) != nil {
                number += 1
                // Often enough to be seen at any time, and not so often that the book becomes long.
                try? await Task.sleep(for: .milliseconds(2))
            }
        }
    }
}
