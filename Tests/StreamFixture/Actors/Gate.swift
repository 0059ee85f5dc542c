package import ActorMesh

/// An actor whose calls may wait for another one.
package distributed actor Gate: RemoteActor {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    package init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Returns when the gate is open.
    package distributed func wait() async {
        if self.isOpen { return }
        await withCheckedContinuation { self.waiting.append($0) }
    }

    package distributed func pass() {}

    package distributed func open() {
        self.isOpen = true
        for continuation in self.waiting { continuation.resume() }
        self.waiting = []
    }
}
