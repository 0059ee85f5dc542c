public import Distributed

/// An actor whose state outlives it.
///
/// It declares what is to be kept as one value, and under which key:
///
/// ```swift
/// distributed actor Account: PersistentActor {
///     struct Arguments: Codable, Sendable { var key: String; var balance: Double }
///     struct State: Codable, Sendable { var balance: Double }
///
///     var state: State
///     let persistenceKey: String
///
///     init(_ arguments: Arguments, actorSystem: Mesh) {
///         self.actorSystem = actorSystem
///         self.persistenceKey = arguments.key
///         self.state = State(balance: arguments.balance)
///     }
///
///     distributed func deposit(_ amount: Double) -> Double {
///         self.state.balance += amount
///         return self.state.balance
///     }
/// }
/// ```
///
/// **Restored.** The initialiser makes the fresh state, as for any actor. Then, before the first call runs, the stored
/// state of that key takes its place, and ``stateRestored()`` is called; if nothing is stored, the fresh state is stored.
/// `spawn` returns after that. So it is in a new life of the actor after a crash, and in a new actor with that key.
///
/// **Saved.** After each call, also one that threw, whose encoded state differs from the stored one, the state is saved
/// and only then the caller gets its answer. A one-way message is saved after it has run. Killed at any instant, what is
/// read back is the state after some call, with every call in it that was answered. What the actor does to its state
/// outside of calls is saved with the next call.
///
/// **Retried.** The answers of calls that may be sent again (`maxTaskRetries`) are saved together with the state, in one
/// step: a call whose effect was saved before the actor's process died is answered by its next life and not run again.
///
/// **When saving fails,** the caller gets `systemFailure` with the store's words instead of the result, and the actor
/// goes back to what is stored. If that cannot be read either, the actor ends.
///
/// **One owner.** A key has one living actor of a type. When a second one is spawned with it, or a new life begins while
/// the old one only seemed dead, the newer takes the state over: the next save of the older fails, and the older ends.
///
/// One call runs at a time; `maxConcurrency` above 1 is refused, because the state in the middle of one call would be
/// saved by another. The whole state is written each time, so keep it small, and put what is large into several actors.
///
/// Only spawned actors are kept; one that a program makes itself with `Account(…)` is as any other.
public protocol PersistentActor: RemoteActor {
    /// What is kept. A later version of the program must be able to read it.
    associatedtype State: Codable & Sendable

    /// What is kept, as it is now.
    var state: State { get set }

    /// Under which key it is kept, among actors of its type. Read once, after the initialiser. The name that the actor
    /// was spawned with, unless you give one; an actor that has neither cannot be spawned.
    var persistenceKey: String { get }

    /// The stored state has replaced the present one, at the start or because it could not be saved: the time to work
    /// out again what the actor derives from it. Not called when nothing was stored. An error ends the actor, or keeps
    /// it from being spawned. The default does nothing.
    func stateRestored() async throws
}

extension PersistentActor {
    /// The name that the actor was spawned with.
    public var persistenceKey: String { self.id.name ?? "" }

    /// Nothing depends on the state.
    public func stateRestored() async throws {}
}
