public import MeshCore

/// A reference to a value that may not be there yet: the result of a call or of a task that was submitted.
///
/// It can be awaited any number of times, by any number of tasks.
public struct ObjectRef<Value: Codable & Sendable>: Sendable {
    package let object: PendingObject<Value>

    package init(_ object: PendingObject<Value>) { self.object = object }

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
///
/// `@unchecked Sendable`: `result` is written once, under the lock of `finish`, and read only after `isComplete` was
/// seen under the same lock.
package final class PendingObject<Value: Sendable>: PendingResult, @unchecked Sendable {
    private var result: Result<Value, any Error>?

    /// Sets the value, the first time.
    package func complete(_ result: Result<Value, any Error>) { self.finish { self.result = result } }

    package func value() async throws -> Value {
        if !self.isComplete {
            await self.wait()
            guard self.isComplete else {
                throw MeshError(.cancelled, "The task that awaited an object was cancelled; the object may still come.")
            }
        }
        guard let result else { throw MeshError(.objectLost, "The object has no value.") }
        return try result.get()
    }
}
