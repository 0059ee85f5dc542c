import MeshCore

extension ActorPool {
    /// What members make of values, in the order of the values.
    ///
    /// So many are under way at once as the pool has members, and as many again wait for one, so that an input without
    /// end is no problem. What was submitted otherwise is not touched. When the iteration ends early, what is under way
    /// is cancelled.
    public func map<Inputs: Sequence, Output: Sendable>(
        _ inputs: Inputs, _ call: @escaping @Sendable (Act, Inputs.Element) async throws -> Output
    ) -> PoolSequence<Act, PoolInputs<Inputs>, Output> where Inputs.Element: Sendable {
        PoolSequence(pool: self, inputs: PoolInputs(inputs), isOrdered: true, call: call)
    }

    /// The same, of values that come one after another. They are taken as there is room, while results are.
    public func map<Inputs: AsyncSequence, Output: Sendable>(
        _ inputs: Inputs, _ call: @escaping @Sendable (Act, Inputs.Element) async throws -> Output
    ) -> PoolSequence<Act, Inputs, Output> where Inputs: Sendable, Inputs.Element: Sendable {
        PoolSequence(self, awaiting: inputs, isOrdered: true, call)
    }

    /// What members make of values, each as soon as it is there.
    public func mapUnordered<Inputs: Sequence, Output: Sendable>(
        _ inputs: Inputs, _ call: @escaping @Sendable (Act, Inputs.Element) async throws -> Output
    ) -> PoolSequence<Act, PoolInputs<Inputs>, Output> where Inputs.Element: Sendable {
        PoolSequence(pool: self, inputs: PoolInputs(inputs), isOrdered: false, call: call)
    }

    /// The same, of values that come one after another.
    public func mapUnordered<Inputs: AsyncSequence, Output: Sendable>(
        _ inputs: Inputs, _ call: @escaping @Sendable (Act, Inputs.Element) async throws -> Output
    ) -> PoolSequence<Act, Inputs, Output> where Inputs: Sendable, Inputs.Element: Sendable {
        PoolSequence(self, awaiting: inputs, isOrdered: false, call)
    }
}

/// The results of a pool's work on a sequence of values.
public struct PoolSequence<Act: RemoteActor, Inputs: AsyncSequence, Output: Sendable>: AsyncSequence
where Inputs.Element: Sendable {
    /// A result.
    public typealias Element = Output

    let pool: ActorPool<Act>
    let inputs: Inputs
    let isOrdered: Bool
    let call: @Sendable (Act, Inputs.Element) async throws -> Output
    /// Takes values that come one after another, beside the results; nil when they are there without waiting.
    var take: (@Sendable (PoolFeed, ActorPool<Act>) async throws -> Void)?

    /// Begins to work when the first result is asked for.
    public func makeAsyncIterator() -> Iterator {
        Iterator(
            pool: ActorPool(members: self.pool.members),
            inputs: self.take == nil ? self.inputs.makeAsyncIterator() : nil, isOrdered: self.isOrdered,
            call: self.call, take: self.take)
    }

    /// Gives one result after another.
    public struct Iterator: AsyncIteratorProtocol {
        /// With the same members, but results of its own.
        private let pool: ActorPool<Act>
        private var inputs: Inputs.AsyncIterator?
        private let isOrdered: Bool
        private let call: @Sendable (Act, Inputs.Element) async throws -> Output
        private var take: (@Sendable (PoolFeed, ActorPool<Act>) async throws -> Void)?
        private let work = PoolIteration()

        init(
            pool: ActorPool<Act>, inputs: Inputs.AsyncIterator?, isOrdered: Bool,
            call: @escaping @Sendable (Act, Inputs.Element) async throws -> Output,
            take: (@Sendable (PoolFeed, ActorPool<Act>) async throws -> Void)?
        ) {
            self.pool = pool
            self.inputs = inputs
            self.isOrdered = isOrdered
            self.call = call
            self.take = take
        }

        /// The next result; nil at the end.
        ///
        /// - Throws: what a call threw: then the iteration is over, and what is under way is cancelled. What the input
        ///   threw, behind the results of all that came before.
        public mutating func next() async throws -> Output? {
            do {
                if let take = self.take {
                    self.take = nil
                    self.work.begin { [pool] feed in try await take(feed, pool) }
                }
                while true {
                    try await self.fill()
                    switch self.work.feed.look() {
                    case .results:
                        let result: Output =
                            self.isOrdered ? try await self.pool.next() : try await self.pool.nextUnordered()
                        self.work.feed.taken()
                        return result
                    case .end(let error):
                        if let error { throw error }
                        return nil
                    case .nothing(let change):
                        await change.wait()
                        if Task.isCancelled {
                            throw MeshError(.cancelled, "The wait for a pool's results was cancelled.")
                        }
                    }
                }
            } catch {
                self.work.end()
                throw error
            }
        }

        /// Begins to work on values that are there without waiting.
        private mutating func fill() async throws {
            guard self.inputs != nil else { return }
            while self.work.feed.count < self.pool.underWayAtOnce {
                guard let input = try await self.inputs?.next(isolation: #isolation) else {
                    self.inputs = nil
                    return self.work.feed.end(nil)
                }
                let call = self.call
                self.work.feed.add(self.pool.begin { try await call($0, input) })
            }
        }
    }
}

extension PoolSequence where Inputs: Sendable {
    /// - Parameter inputs: values that may have to be waited for.
    init(
        _ pool: ActorPool<Act>, awaiting inputs: Inputs, isOrdered: Bool,
        _ call: @escaping @Sendable (Act, Inputs.Element) async throws -> Output
    ) {
        self.init(pool: pool, inputs: inputs, isOrdered: isOrdered, call: call)
        self.take = { feed, pool in
            var values = inputs.makeAsyncIterator()
            while await feed.hasRoom(for: { pool.underWayAtOnce }), let input = try await values.next() {
                feed.add(pool.begin { try await call($0, input) })
            }
        }
    }
}

extension ActorPool {
    /// How many an iteration has under way: one for each member, and as many that wait for one.
    fileprivate var underWayAtOnce: Int { Swift.max(2, 2 * self.count) }
}

/// The values of a sequence, one after another.
public struct PoolInputs<Base: Sequence>: AsyncSequence {
    /// A value.
    public typealias Element = Base.Element
    private let base: Base

    init(_ base: Base) { self.base = base }

    /// Begins at the first value.
    public func makeAsyncIterator() -> Iterator { Iterator(base: self.base.makeIterator()) }

    /// Gives one value after another.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate var base: Base.Iterator

        /// The next value; nil at the end.
        public mutating func next() async -> Base.Element? { self.base.next() }
    }
}
