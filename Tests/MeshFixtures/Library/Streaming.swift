public import ActorMesh
import Glibc

/// An element of a stream, and where it was written.
public struct Frame: Codable, Hashable, Sendable {
    /// From 0 on.
    public var number: Int
    /// The process that wrote it.
    public var process: Int32
}

/// A task that results in a stream, which it writes after it has ended.
public struct Film: RemoteTask {
    /// What the stream ends with, if it was told to fail.
    public struct Torn: Error, Codable, Hashable {
        /// Makes one.
        public init() {}
    }

    private var length: Int
    private var bufferingLimit: Int
    private var fails: Bool
    private var witness: Witness
    private var clears: Bool

    /// One of so many frames. The witness is told of each that was written, and when nobody wants more.
    ///
    /// - Parameter clears: whether it has something to clear away then, which takes until the witness has seen "go".
    public init(
        length: Int, bufferingLimit: Int = 1024, fails: Bool = false, clears: Bool = false, witness: Witness
    ) {
        self.clears = clears
        self.length = length
        self.bufferingLimit = bufferingLimit
        self.fails = fails
        self.witness = witness
    }

    /// Begins to write.
    public func run(on mesh: Mesh) async throws -> MeshStream<Frame> {
        MeshStream(bufferingLimit: self.bufferingLimit) { [self] continuation in
            do {
                for number in 0..<self.length {
                    try await continuation.send(Frame(number: number, process: getpid()))
                    try await self.witness.reach("sent")
                }
            } catch let error as MeshError {
                // What tells the witness must not be cancelled itself.
                await Task {
                    try? await self.witness.reach("\(error.code)")
                    guard self.clears else { return }
                    try? await self.witness.wait(for: "go", count: 1)
                    try? await self.witness.reach("cleared")
                }.value
                throw error
            }
            if self.fails { throw Torn() }
        }
    }
}

/// Reads what tasks write.
public distributed actor Viewer: RemoteActor {
    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// The numbers of a stream's frames.
    public distributed func watch(_ film: ObjectRef<MeshStream<Frame>>) async throws -> [Int] {
        var numbers: [Int] = []
        for try await frame in try await film.value { numbers.append(frame.number) }
        return numbers
    }

    /// Reads one frame, and nothing more until it ends.
    public distributed func glance(_ film: ObjectRef<MeshStream<Frame>>) async throws -> Int? {
        let stream = try await film.value
        self.kept = stream
        var frames = stream.makeAsyncIterator()
        return try await frames.next()?.number
    }

    private var kept: MeshStream<Frame>?
}
