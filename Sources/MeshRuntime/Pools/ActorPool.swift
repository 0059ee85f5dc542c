import Distributed
import MeshCore
import Synchronization

/// Actors of one type that share work: each does one thing at a time, and what is submitted while all of them work
/// waits, in its order, until one is free.
///
/// ```swift
/// let pool = ActorPool(predictors)
/// for shard in shards { pool.submit(shard) { predictor, shard in try await predictor.predict(shard) } }
/// while pool.hasNext { print(try await pool.nextUnordered(as: Int.self)) }
///
/// for try await count in pool.map(shards, { try await $0.predict($1) }) { total += count }
/// ```
///
/// A pool that is passed to an actor or a task stays one pool: whoever has it takes members from the same ones, which
/// the process that made it gives out. Each of them has the results of what it submitted itself. When that process has
/// ended, so has the pool, and work that is submitted then fails with `actorDied`.
///
/// A member that dies fails what it was doing with `actorDied` and leaves the pool, which makes another one if it was
/// told how (``init(count:_:)``), and else goes on with the others. One that is known to have died while it was free
/// leaves as well, and nothing fails. When none is left, what waits fails; what is submitted later waits for
/// ``push(_:)``.
public final class ActorPool<Act: RemoteActor>: Sendable {
    let members: any PoolMembers<Act>
    private let state = Mutex(State())

    private struct State {
        var results = PoolResults()
        /// Completed with the next result, and then another one.
        var change = PoolWork(UniqueID.make())
    }

    /// A pool of actors that there are.
    public convenience init(_ actors: [Act]) { self.init(members: LocalPool(PoolCore(actors, replace: nil))) }

    /// Makes a pool of so many actors, and another one in the place of each that dies.
    ///
    /// ```swift
    /// let pool = try await ActorPool(count: 6) { try await mesh.spawn(Predictor.self, model) }
    /// ```
    ///
    /// - Throws: what `make` throws the first time; the members that were made by then go with their handles.
    public convenience init(count: Int, _ make: @escaping @Sendable () async throws -> Act) async throws {
        guard (0...1 << 20).contains(count) else {
            throw MeshError(.invalidArgument, "A pool of \(count) members makes no sense.")
        }
        let actors = try await withThrowingTaskGroup(of: Act.self) { group in
            for _ in 0..<count { group.addTask { try await make() } }
            return try await group.reduce(into: [Act]()) { $0.append($1) }
        }
        self.init(members: LocalPool(PoolCore(actors, replace: make)))
    }

    init(members: any PoolMembers<Act>) { self.members = members }

    // MARK: Work

    /// Has a member do something with a value: at once if one is free, else when its turn has come. Returns at once.
    ///
    /// The result, or the error, is given by ``next(as:timeout:)`` or ``nextUnordered(as:timeout:)``.
    public func submit<Value: Sendable, Output: Sendable>(
        _ value: Value, _ call: @escaping @Sendable (Act, Value) async throws -> Output
    ) {
        self.submit { actor in try await call(actor, value) }
    }

    /// Has a member do something.
    public func submit<Output: Sendable>(_ call: @escaping @Sendable (Act) async throws -> Output) {
        _ = self.begin(call)
    }

    func begin<Output: Sendable>(_ call: @escaping @Sendable (Act) async throws -> Output) -> PoolWork {
        let work = PoolWork(UniqueID.make())
        let index = self.state.withLock { $0.results.add(work) }
        self.start(work, at: index) { try await call($0) }
        return work
    }

    /// - Parameter index: which result has come; nil when one was put back.
    private func changed(_ index: UInt64? = nil) {
        let change = self.state.withLock { state in
            if let index { state.results.completed(index) }
            defer { state.change = PoolWork(UniqueID.make()) }
            return state.change
        }
        change.finish {}
    }

    private func start(
        _ work: PoolWork, at index: UInt64, _ call: @escaping @Sendable (Act) async throws -> any Sendable
    ) {
        let acquisition = self.members.ask { work.isSettled.store(true, ordering: .sequentiallyConsistent) }
        let task = MeshScope.$current.withValue(nil) {
            Task { [weak self] in
                let result: Result<any Sendable, any Error>
                do {
                    let actor = try await acquisition.member()
                    do {
                        result = .success(try await call(actor))
                        acquisition.done(actor, isDead: false)
                    } catch {
                        result = .failure(error)
                        acquisition.done(actor, isDead: actor.hasEnded)
                    }
                } catch {
                    result = .failure(error)
                }
                work.complete(result)
                self?.changed(index)
            }
        }
        work.setTask(task)
    }

    // MARK: Results

    /// Whether there is a result to be taken, or will be: something was submitted that nobody has taken, and there is a
    /// member to do it.
    public var hasNext: Bool {
        if self.state.withLock({ $0.results.isEmpty }) { return false }
        if self.members.isManned { return true }
        let works = self.state.withLock { Array($0.results.all) }
        return works.contains { $0.isSettled.load(ordering: .sequentiallyConsistent) }
    }

    /// The result of what was submitted first, of all whose results nobody has taken.
    ///
    /// - Throws: the error that came instead; `deadlineExceeded` when it is not there after `timeout`: then it stays the
    ///   next one, and its member is busy until it is done; `cancelled`; `invalidArgument` when nothing was submitted, or
    ///   the pool has no members, or the result is of another type: then it stays the next one, too.
    public func next<Output: Sendable>(
        as type: Output.Type = Output.self, timeout: Duration? = nil
    ) async throws -> Output {
        try self.checkNext()
        guard let first = self.state.withLock({ $0.results.takeFirst() }) else { throw Self.nothing }
        await first.work.wait(atMost: timeout)
        guard first.work.isComplete else {
            self.putBack(first)
            throw Self.late(timeout)
        }
        return try self.read(first, as: type)
    }

    private func read<Output: Sendable>(_ taken: PoolResults.Taken, as type: Output.Type) throws -> Output {
        let result: Result<Output, any Error>
        do {
            result = try taken.work.read(as: type)
        } catch {
            self.putBack(taken)
            throw error
        }
        return try result.get()
    }

    private func putBack(_ taken: PoolResults.Taken) {
        self.state.withLock { $0.results.putBack(taken) }
        // It may have come just now, and somebody else may wait for any.
        self.changed()
    }

    /// The result that is there first, of all that nobody has taken. May be mixed with ``next(as:timeout:)``; none is
    /// lost.
    ///
    /// - Throws: as ``next(as:timeout:)``.
    public func nextUnordered<Output: Sendable>(
        as type: Output.Type = Output.self, timeout: Duration? = nil
    ) async throws -> Output {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        while true {
            try self.checkNext()
            let (taken, change) = self.state.withLock { ($0.results.takeComplete(), $0.change) }
            if let taken { return try self.read(taken, as: type) }
            let left = deadline.map { $0 - ContinuousClock.now }
            if let left, left <= .zero { throw Self.late(timeout) }
            await change.wait(atMost: left)
            guard change.isComplete || !Task.isCancelled else { throw Self.late(nil) }
        }
    }

    private func checkNext() throws {
        guard !self.hasNext else { return }
        guard self.state.withLock({ $0.results.isEmpty }) else {
            throw MeshError(.invalidArgument, "The pool has no members that could do what was submitted. Push one.")
        }
        throw Self.nothing
    }

    private static var nothing: MeshError {
        MeshError(.invalidArgument, "Nothing was submitted to the pool whose result has not been taken. Ask hasNext.")
    }

    private static func late(_ timeout: Duration?) -> MeshError {
        guard let timeout, !Task.isCancelled else {
            return MeshError(.cancelled, "The wait for a pool's result was cancelled; it may still come.")
        }
        return MeshError(.deadlineExceeded, "No result of the pool was there after \(timeout); it stays the next one.")
    }

    // MARK: Members

    /// How many members there are. Of a pool that another process made: how many there were when it last said so.
    public var count: Int { self.members.count }

    /// Whether a member is free, and nothing waits for one. As ``count`` for another process's pool.
    public var hasFree: Bool { self.members.hasFree }

    /// Adds a member, which begins at once with what waits.
    ///
    /// - Throws: `invalidArgument` when it is one already, or the pool is another process's.
    public func push(_ actor: Act) throws {
        guard try self.local.push(actor) else {
            throw MeshError(.invalidArgument, "\(actor.id) is in the pool already.")
        }
    }

    /// Takes a free member out of the pool: the one that was the last to become free; nil when none is.
    ///
    /// - Throws: `invalidArgument` when the pool is another process's.
    public func popIdle() throws -> Act? { try self.local.popIdle() }

    /// Takes a member out, when it has done what it does. Returns whether it was one.
    ///
    /// - Throws: `invalidArgument` when the pool is another process's.
    @discardableResult
    public func remove(_ actor: Act) throws -> Bool { try self.local.remove(actor) }

    private var local: PoolCore<Act> {
        get throws(MeshError) {
            guard let local = self.members as? LocalPool<Act> else {
                throw MeshError(.invalidArgument, "Only the process that made a pool can change its members.")
            }
            return local.core
        }
    }
}

extension RemoteActor {
    /// Whether the actor is known to have ended for good.
    nonisolated var hasEnded: Bool { self.id.reference.hasEnded }
}

extension PendingResult {
    /// Returns when the result is there, the time is over, or the waiting task is cancelled.
    func wait(atMost timeout: Duration?) async {
        guard let timeout else { return await self.wait() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await Task.sleep(for: max(.zero, timeout)) }
            await group.next()
            group.cancelAll()
        }
    }
}
