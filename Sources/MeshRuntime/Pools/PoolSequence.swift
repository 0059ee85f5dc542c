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

    /// The same, of values that come one after another.
    public func map<Inputs: AsyncSequence, Output: Sendable>(
        _ inputs: Inputs, _ call: @escaping @Sendable (Act, Inputs.Element) async throws -> Output
    ) -> PoolSequence<Act, Inputs, Output> where Inputs.Element: Sendable {
        PoolSequence(pool: self, inputs: inputs, isOrdered: true, call: call)
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
    ) -> PoolSequence<Act, Inputs, Output> where Inputs.Element: Sendable {
        PoolSequence(pool: self, inputs: inputs, isOrdered: false, call: call)
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

    /// Begins to work when the first result is asked for.
    public func makeAsyncIterator() -> Iterator {
        Iterator(
            pool: ActorPool(members: self.pool.members), inputs: self.inputs.makeAsyncIterator(),
            isOrdered: self.isOrdered, call: self.call)
    }

    /// Gives one result after another.
    public struct Iterator: AsyncIteratorProtocol {
        /// With the same members, but results of its own.
        private let pool: ActorPool<Act>
        private var inputs: Inputs.AsyncIterator
        private let isOrdered: Bool
        private let call: @Sendable (Act, Inputs.Element) async throws -> Output
        private let underWay = PoolUnderWay()
        private var isAtEnd = false

        init(
            pool: ActorPool<Act>, inputs: Inputs.AsyncIterator, isOrdered: Bool,
            call: @escaping @Sendable (Act, Inputs.Element) async throws -> Output
        ) {
            self.pool = pool
            self.inputs = inputs
            self.isOrdered = isOrdered
            self.call = call
        }

        /// The next result; nil at the end.
        ///
        /// - Throws: what a call or the input threw: then the iteration is over, and what is under way is cancelled.
        public mutating func next() async throws -> Output? {
            do {
                while !self.isAtEnd, self.underWay.count < Swift.max(2, 2 * self.pool.count) {
                    guard let input = try await self.inputs.next(isolation: #isolation) else {
                        self.isAtEnd = true
                        break
                    }
                    let call = self.call
                    self.underWay.add(self.pool.begin { try await call($0, input) })
                }
                guard self.underWay.count > 0 else { return nil }
                let result: Output =
                    self.isOrdered ? try await self.pool.next() : try await self.pool.nextUnordered()
                self.underWay.removeComplete()
                return result
            } catch {
                self.isAtEnd = true
                self.underWay.cancel()
                throw error
            }
        }
    }
}

/// What an iteration has begun and not taken yet. When the iteration goes, it is cancelled.
///
/// `@unchecked Sendable`: only its iterator has it, which belongs to one task at a time.
private final class PoolUnderWay: @unchecked Sendable {
    private var works: [PoolWork] = []
    /// How many have been begun and not been taken.
    private(set) var count = 0

    func add(_ work: PoolWork) {
        self.works.append(work)
        self.count += 1
    }

    func removeComplete() {
        self.count -= 1
        self.works.removeAll(where: \.isComplete)
    }

    func cancel() {
        for work in self.works { work.cancel() }
        self.works = []
        self.count = 0
    }

    deinit { self.cancel() }
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
