public import ActorMesh
public import FoundationEssentials
import Glibc

/// Sends large values to others, and tells what its process has of shared memory for them.
public distributed actor Hauler: RemoteActor {
    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// The number of its process.
    public distributed func process() -> Int32 { getpid() }

    /// Sends so many bytes through an actor until that fails, and each time looks whether they come back as they went.
    /// Returns how often they did, and the code of the error.
    public distributed func haul(_ count: Int, through echo: Echo) async throws -> Haul {
        var done = 0
        do {
            while true {
                let data = Self.bytes(done, count: count)
                guard try await echo.data(data) == data else { return Haul(done: done, areWrong: true) }
                done += 1
            }
        } catch {
            return Haul(done: done, areWrong: false)
        }
    }

    /// How many pieces of memory for large values its process has open or mapped.
    public distributed func slots() -> Int { SharedMemoryOfProcess.slots }

    /// Bytes that differ from one number to the next.
    public static func bytes(_ seed: Int, count: Int) -> Data {
        var data = Data(count: count)
        for index in stride(from: 0, to: count, by: 512) { data[index] = UInt8(truncatingIfNeeded: index / 512 + seed) }
        return data
    }

    /// What became of what was sent.
    public struct Haul: Codable, Hashable, Sendable {
        /// How often everything came back as it went.
        public var done: Int
        /// Whether something else came back once.
        public var areWrong: Bool
    }
}

/// What the process that asks has of shared memory.
public enum SharedMemoryOfProcess {
    /// How many pieces of memory for large values it has mapped.
    public static var slots: Int {
        let file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return -1 }
        defer { close(file) }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(file, &piece, piece.count)
            guard count > 0 else { break }
            text += piece[..<count]
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\n")
            .count(where: { $0.contains("memfd:actormesh-slot") })
    }
}
