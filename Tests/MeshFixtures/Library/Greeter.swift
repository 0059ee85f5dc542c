public import ActorMesh

/// What callers know of an actor that greets: they need not know its type.
@Resolvable
public protocol Greeter: DistributedActor where ActorSystem == Mesh {
    /// A greeting.
    distributed func greet(_ name: String) -> String
    /// A greeting, or `Refusal.closed`.
    distributed func greetOrRefuse(_ name: String?) throws -> String
}

/// Greets.
public distributed actor PoliteGreeter: RemoteActor, Greeter {
    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// A greeting.
    public distributed func greet(_ name: String) -> String { "Good morning, \(name)." }

    /// A greeting, or `Refusal.closed`.
    public distributed func greetOrRefuse(_ name: String?) throws -> String {
        guard let name else { throw Refusal.closed }
        return "Good evening, \(name)."
    }
}
