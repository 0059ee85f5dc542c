import DequeModule
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

    /// The result, once it is complete: a value, or what was thrown instead.
    ///
    /// - Throws: `invalidArgument` when it is a value of another type.
    func read<Value>(as type: Value.Type) throws(MeshError) -> Result<Value, any Error> {
        switch self.result {
        case .success(let value as Value): return .success(value)
        case .success(let value):
            throw MeshError(
                .invalidArgument,
                "The next result of the pool is a \(Swift.type(of: value)), not a \(type); it stays the next one.")
        case .failure(let error): return .failure(error)
        case nil: throw MeshError(.cancelled, "The wait for a pool's result was cancelled; it may still come.")
        }
    }
}

/// What was submitted and nobody has taken yet. A value without clocks or tasks.
///
/// Each operation takes the same time on average, however many results there are.
struct PoolResults: Sendable {
    struct Taken: Sendable {
        let index: UInt64
        let work: PoolWork
    }

    private var works: [UInt64: PoolWork] = [:]
    /// No result before this one is here.
    private var first: UInt64 = 0
    private var nextIndex: UInt64 = 0
    /// Those that are complete, in the order in which they became so; also some that have been taken since.
    private var complete: Deque<UInt64> = []

    /// - Returns: its place.
    mutating func add(_ work: PoolWork) -> UInt64 {
        defer { self.nextIndex += 1 }
        self.works[self.nextIndex] = work
        return self.nextIndex
    }

    /// The result at a place is there.
    mutating func completed(_ index: UInt64) { if self.works[index] != nil { self.complete.append(index) } }

    var isEmpty: Bool { self.works.isEmpty }

    /// Takes the first that was submitted out.
    mutating func takeFirst() -> Taken? {
        while self.first < self.nextIndex {
            let index = self.first
            self.first += 1
            if let work = self.works.removeValue(forKey: index) { return Taken(index: index, work: work) }
        }
        return nil
    }

    /// Takes the one out that was complete first.
    mutating func takeComplete() -> Taken? {
        while let index = self.complete.popFirst() {
            if let work = self.works.removeValue(forKey: index) { return Taken(index: index, work: work) }
        }
        return nil
    }

    /// Puts back what was taken, in its place.
    mutating func putBack(_ taken: Taken) {
        self.works[taken.index] = taken.work
        self.first = min(self.first, taken.index)
        if taken.work.isComplete { self.complete.prepend(taken.index) }
    }

    /// All of them.
    var all: some Sequence<PoolWork> { self.works.values }
}
