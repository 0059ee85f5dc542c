import MeshCore
import Synchronization

/// Something that a pool does for whoever submitted it.
///
/// `@unchecked Sendable`: `result` is written once, under the lock of `finish`, and read only after `isComplete` was seen
/// under the same lock.
final class PoolWork: PendingResult, @unchecked Sendable {
    private var result: Result<any Sendable, any Error>?
    /// Whether it has a member by now, or will have none.
    let isSettled = Atomic<Bool>(false)

    func complete(_ result: Result<any Sendable, any Error>) { self.finish { self.result = result } }

    /// The result, once it is complete.
    func take<Value>(as type: Value.Type) throws -> Value {
        guard let result else {
            throw MeshError(.cancelled, "The wait for a pool's result was cancelled; it may still come.")
        }
        let value = try result.get()
        guard let typed = value as? Value else {
            throw MeshError(
                .invalidArgument, "The next result of the pool is a \(Swift.type(of: value)), not a \(type).")
        }
        return typed
    }
}

/// What was submitted and nobody has taken yet. A value without clocks or tasks.
struct PoolResults: Sendable {
    private var works: [(index: UInt64, work: PoolWork)] = []
    private var nextIndex: UInt64 = 0

    mutating func add(_ work: PoolWork) {
        self.works.append((self.nextIndex, work))
        self.nextIndex += 1
    }

    var isEmpty: Bool { self.works.isEmpty }

    /// Takes the first that was submitted out.
    mutating func takeFirst() -> (index: UInt64, work: PoolWork)? {
        self.works.isEmpty ? nil : self.works.removeFirst()
    }

    /// Takes the first that is complete out.
    mutating func takeComplete() -> PoolWork? {
        guard let index = self.works.firstIndex(where: { $0.work.isComplete }) else { return nil }
        return self.works.remove(at: index).work
    }

    /// Puts back what was taken, in its place.
    mutating func putBack(_ taken: (index: UInt64, work: PoolWork)) {
        let place = self.works.firstIndex { $0.index > taken.index } ?? self.works.endIndex
        self.works.insert(taken, at: place)
    }

    /// All of them, in the order in which they were submitted.
    var all: [PoolWork] { self.works.map(\.work) }
}
