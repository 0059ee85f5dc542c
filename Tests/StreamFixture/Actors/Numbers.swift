package import ActorMesh
import Glibc
import Synchronization

/// The settings of all processes of the tests: readers that stop are given up after 5 s.
package let fixtureSettings = MeshSettings(leaseTime: .seconds(1))

/// An error that a stream ends with.
package struct OutOfNumbers: Error, Codable, Hashable {
    package var last: Int
}

/// Writes streams of numbers.
package distributed actor Numbers: RemoteActor {
    private let written = Counter()

    package init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// The numbers below `end`.
    package distributed func count(to end: Int, bufferingLimit: Int = 1024) -> MeshStream<Int> {
        MeshStream(bufferingLimit: bufferingLimit) { [written] continuation in
            for number in 0..<end {
                try await continuation.send(number)
                written.add()
            }
        }
    }

    /// The numbers below `end`, and then an error.
    package distributed func fail(after end: Int) -> MeshStream<Int> {
        MeshStream { continuation in
            for number in 0..<end { try await continuation.send(number) }
            throw OutOfNumbers(last: end - 1)
        }
    }

    /// The last `limit` numbers below `end`: all of them are written before anybody reads.
    package distributed func overflow(to end: Int, limit: Int) -> MeshStream<Int> {
        let (stream, continuation) = MeshStream<Int>.makeStream(bufferingLimit: limit, onFull: .skipOldest)
        for number in 0..<end { continuation.trySend(number) }
        continuation.finish()
        return stream
    }

    /// A stream that is neither finished nor written any more.
    package distributed func abandon() -> MeshStream<Int> {
        let (stream, continuation) = MeshStream<Int>.makeStream()
        continuation.trySend(0)
        return stream
    }

    /// How many numbers have been written in all.
    package distributed func sent() -> Int { self.written.value }

    package distributed func processID() -> Int32 { getpid() }
}

/// Counts from any task.
package final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    package init() {}
    package func add() { self.count.add(1, ordering: .sequentiallyConsistent) }
    package var value: Int { self.count.load(ordering: .sequentiallyConsistent) }
}
