public import MeshCore
import Synchronization

/// A reference to a value that may not be there yet: the result of a call or of a task that was submitted.
///
/// It can be awaited any number of times, by any number of tasks.
public struct ObjectRef<Value: Codable & Sendable>: Sendable {
    let object: PendingObject<Value>

    init(_ object: PendingObject<Value>) { self.object = object }

    /// The value, as soon as it is there.
    ///
    /// - Throws: the error that came instead of it; `cancelled` when the task that awaits it is cancelled, which does
    ///   not cancel the work.
    public var value: Value {
        get async throws { try await self.object.value() }
    }

    /// Names the object among all of the mesh.
    public var id: UniqueID { self.object.id }
}

extension ObjectRef: Hashable {
    /// Whether both refer to the same object.
    public static func == (one: ObjectRef, other: ObjectRef) -> Bool { one.id == other.id }
    /// Feeds the object's number.
    public func hash(into hasher: inout Hasher) { hasher.combine(self.id) }
}

/// A value that is on its way.
final class PendingObject<Value: Sendable>: Sendable {
    let id = UniqueID.random()

    private struct State {
        var result: Result<Value, any Error>?
        var waiters: [Int: UnsafeContinuation<Void, Never>] = [:]
        var nextWaiter = 0
        var onCancel: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Sets the value, the first time.
    func complete(_ result: Result<Value, any Error>) {
        let waiters = self.state.withLock { state in
            guard state.result == nil else { return [UnsafeContinuation<Void, Never>]() }
            state.result = result
            state.onCancel = nil
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    var isComplete: Bool { self.state.withLock { $0.result != nil } }

    /// What `cancel` does while the value is not there.
    func setCancel(_ action: @escaping @Sendable () -> Void) {
        self.state.withLock { if $0.result == nil { $0.onCancel = action } }
    }

    func cancel() { self.state.withLock { $0.onCancel }?() }

    func value() async throws -> Value {
        if let result = self.state.withLock({ $0.result }) { return try result.get() }
        await self.wait()
        if let result = self.state.withLock({ $0.result }) { return try result.get() }
        throw MeshError(.cancelled, "The task that awaited an object was cancelled; the object may still come.")
    }

    /// Returns when the value is there or the waiting task is cancelled.
    func wait() async {
        let number = self.state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let isDone = self.state.withLock { state -> Bool in
                    if state.result != nil || Task.isCancelled { return true }
                    state.waiters[number] = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            self.state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }
}
