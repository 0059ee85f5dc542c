public import ActorMesh
import Glibc
import Synchronization

/// The settings of all processes of the tests: readers that stop are given up after 5 s.
public let fixtureSettings = MeshSettings(leaseTime: .seconds(1))

/// An error that a stream ends with.
public struct OutOfNumbers: Error, Codable, Hashable {
    public var last: Int
}

/// Writes streams of numbers.
public distributed actor Numbers: RemoteActor {
    private let written = Counter()

    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// The numbers below `end`.
    public distributed func count(to end: Int, bufferingLimit: Int = 1024) -> MeshStream<Int> {
        MeshStream(bufferingLimit: bufferingLimit) { [written] continuation in
            for number in 0..<end {
                try await continuation.send(number)
                written.add()
            }
        }
    }

    /// The numbers below `end`, and then an error.
    public distributed func fail(after end: Int) -> MeshStream<Int> {
        MeshStream { continuation in
            for number in 0..<end { try await continuation.send(number) }
            throw OutOfNumbers(last: end - 1)
        }
    }

    /// The last `limit` numbers below `end`: all of them are written before anybody reads.
    public distributed func overflow(to end: Int, limit: Int) -> MeshStream<Int> {
        let (stream, continuation) = MeshStream<Int>.makeStream(bufferingLimit: limit, onFull: .skipOldest)
        for number in 0..<end { continuation.trySend(number) }
        continuation.finish()
        return stream
    }

    /// A stream that is neither finished nor written any more.
    public distributed func abandon() -> MeshStream<Int> {
        let (stream, continuation) = MeshStream<Int>.makeStream()
        continuation.trySend(0)
        return stream
    }

    /// How many numbers have been written in all.
    public distributed func sent() -> Int { self.written.value }

    public distributed func processID() -> Int32 { getpid() }
}

/// Counts from any task.
public final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    public init() {}
    public func add() { self.count.add(1, ordering: .sequentiallyConsistent) }
    public var value: Int { self.count.load(ordering: .sequentiallyConsistent) }
}
