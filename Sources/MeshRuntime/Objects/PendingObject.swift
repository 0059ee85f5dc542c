import MeshCore
import Synchronization

/// A value that is on its way, or that another process owns.
///
/// `@unchecked Sendable`: `outcome` is written once, under the lock of `finish`, and read only after `isComplete` was
/// seen under the same lock; `links` has a lock of its own.
package final class PendingObject<Value: Codable & Sendable>: PendingResult, @unchecked Sendable {
    private(set) var outcome: ObjectOutcome<Value>?

    /// Sets the value, the first time.
    package func complete(_ result: Result<Value, any Error>) {
        switch result {
        case .success(let value): self.become(.value(value))
        case .failure(let error): self.become(.failure(error))
        }
    }

    package func become(_ outcome: ObjectOutcome<Value>) {
        guard self.finish({ self.outcome = outcome }) else { return }
        self.table?.complete(self.id, with: outcome)
    }

    package func value() async throws -> Value {
        if !self.isComplete {
            await self.wait()
            guard self.isComplete else {
                throw MeshError(.cancelled, "The task that awaited an object was cancelled; the object may still come.")
            }
        }
        switch self.outcome {
        case .value(let value): return value
        case .failure(let error): throw error
        case .stored(let stored): return try await stored.read(Value.self)
        case nil: throw MeshError(.objectLost, "The object has no value.")
        }
    }

    /// Whether its value lies in a store, and may have to be fetched.
    package var isStored: Bool { if self.isComplete, case .stored = self.outcome { true } else { false } }

    /// The error that came instead of a value, if one has.
    package override var failure: (any Error)? {
        guard self.isComplete, case .failure(let error) = self.outcome else { return nil }
        return error
    }

    override var anyOutcome: (any AnyObjectOutcome)? { self.isComplete ? self.outcome : nil }

    override func fail(_ error: any Error) { self.become(.failure(error)) }
}
