public import ActorMesh

/// Calls others, from a process of its own.
public distributed actor Caller: RemoteActor {
    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Starts many calls without awaiting any, then awaits them all. Returns how many results came.
    public distributed func pipeline(_ ledger: Ledger, as name: String, count: Int) async throws -> Int {
        let mesh = self.actorSystem
        var refs: [ObjectRef<Int>] = []
        for number in 0..<count { refs.append(try await mesh.submit { try await ledger.append(name, number) }) }
        return try await mesh.get(refs).count
    }

    /// Sends many one-way messages, and then one call that comes after them.
    public distributed func tellMany(_ ledger: Ledger, as name: String, count: Int) async throws -> Int {
        let mesh = self.actorSystem
        for number in 0..<count - 1 { try await mesh.tell { _ = try await ledger.append(name, number) } }
        return try await ledger.append(name, count - 1)
    }

    /// Calls a blocker and says how that ended: `result`, or the code of the error.
    public distributed func outcome(ofHolding blocker: Blocker, _ witness: Witness) async -> String {
        do {
            try await blocker.hold(witness, "held")
            return "result"
        } catch let error as MeshError {
            return "\(error.code)"
        } catch {
            return "\(error)"
        }
    }
}
