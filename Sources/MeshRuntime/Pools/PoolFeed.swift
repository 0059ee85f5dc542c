import MeshCore
import Synchronization

/// What an iteration over a pool's results has begun and not taken yet, for the one who begins and the one who takes.
final class PoolFeed: Sendable {
    private struct State {
        var works: [PoolWork] = []
        /// How many have been begun and not been taken.
        var count = 0
        /// Why nothing more is begun.
        var end: Result<Void, any Error>?
        /// Completed with the next change, and then another one.
        var change = PoolWork(UniqueID.make())
    }

    /// What there is to be taken.
    enum Look {
        case results
        case nothing(until: PoolWork)
        case end((any Error)?)
    }

    private let state = Mutex(State())

    var count: Int { self.state.withLock { $0.count } }

    func look() -> Look {
        self.state.withLock { state in
            if state.count > 0 { return .results }
            switch state.end {
            case .success: return .end(nil)
            case .failure(let error): return .end(error)
            case nil: return .nothing(until: state.change)
            }
        }
    }

    func add(_ work: PoolWork) {
        let isOver = self.change { state in
            // Somebody has ended the iteration in the meantime.
            if state.end != nil { return true }
            state.works.append(work)
            state.count += 1
            return false
        }
        if isOver { work.cancel() }
    }

    func taken() {
        self.change { state in
            state.count -= 1
            state.works.removeAll(where: \.isComplete)
        }
    }

    /// Nothing more is begun.
    func end(_ error: (any Error)?) {
        self.change { state in if state.end == nil { state.end = error.map { .failure($0) } ?? .success(()) } }
    }

    /// Waits until fewer are under way than may be. Returns false when the iteration is over.
    func hasRoom(for limit: () -> Int) async -> Bool {
        while true {
            let (isOver, count, change) = self.state.withLock { ($0.end != nil, $0.count, $0.change) }
            if isOver || Task.isCancelled { return false }
            if count < limit() { return true }
            await change.wait()
        }
    }

    /// Ends the iteration, with all that is under way.
    func cancel() {
        let works = self.change { state in
            state.end = .success(())
            state.count = 0
            defer { state.works = [] }
            return state.works
        }
        for work in works { work.cancel() }
    }

    @discardableResult
    private func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        let (result, change) = self.state.withLock { state in
            let result = body(&state)
            defer { state.change = PoolWork(UniqueID.make()) }
            return (result, state.change)
        }
        change.finish {}
        return result
    }
}

/// One iteration. When it goes, what is under way is cancelled.
///
/// `@unchecked Sendable`: only its iterator has it, which belongs to one task at a time.
final class PoolIteration: @unchecked Sendable {
    let feed = PoolFeed()
    private var task: Task<Void, Never>?

    /// Has somebody begin work beside whoever takes the results.
    func begin(_ work: @escaping @Sendable (PoolFeed) async throws -> Void) {
        self.task = Task { [feed] in
            do {
                try await work(feed)
                feed.end(nil)
            } catch {
                feed.end(error)
            }
        }
    }

    func end() {
        self.task?.cancel()
        self.feed.cancel()
    }

    deinit { self.end() }
}
