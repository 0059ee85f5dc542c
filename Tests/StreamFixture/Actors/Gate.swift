public import ActorMesh

/// An actor whose calls may wait for another one.
public distributed actor Gate: RemoteActor {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Returns when the gate is open.
    public distributed func wait() async {
        if self.isOpen { return }
        await withCheckedContinuation { self.waiting.append($0) }
    }

    public distributed func pass() {}

    public distributed func open() {
        self.isOpen = true
        for continuation in self.waiting { continuation.resume() }
        self.waiting = []
    }
}
