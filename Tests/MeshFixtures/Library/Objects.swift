public import ActorMesh
public import FoundationEssentials
import Glibc

/// A value with everything in it that an object may have.
public struct Cargo: Codable, Hashable, Sendable {
    /// What it is called.
    public var name: String
    /// Numbers in it.
    public var numbers: [Double]
    /// Bytes in it.
    public var bytes: Data

    /// With a name, numbers and bytes.
    public init(name: String, numbers: [Double] = [], bytes: Data = Data()) {
        self.name = name
        self.numbers = numbers
        self.bytes = bytes
    }

    /// One of about so many bytes, which another of the same seed is equal to.
    public static func sample(_ seed: Int, bytes: Int) -> Cargo {
        Cargo(
            name: "cargo \(seed)", numbers: (0..<bytes / 16).map { Double($0 &* seed) },
            bytes: Data((0..<bytes / 2).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed) }))
    }
}

/// Keeps references, and reads what they refer to.
public distributed actor Vault: RemoteActor {
    private var kept: [ObjectRef<Cargo>] = []

    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Keeps a reference.
    public distributed func keep(_ ref: ObjectRef<Cargo>) { self.kept.append(ref) }

    /// Lets all go.
    public distributed func drop() { self.kept = [] }

    /// Gives the references back.
    public distributed func refs() -> [ObjectRef<Cargo>] { self.kept }

    /// Reads everything that is kept.
    public distributed func read() async throws -> [Cargo] {
        var values: [Cargo] = []
        for ref in self.kept { values.append(try await ref.value) }
        return values
    }

    /// What kind of values they are, without sending them anywhere: the sum of their numbers.
    public distributed func sum() async throws -> Double {
        var sum = 0.0
        for ref in self.kept { sum += try await ref.value.numbers.reduce(0, +) }
        return sum
    }

    /// Puts a value into the mesh again and again, with deadlines around the time that it takes.
    public distributed func giveUp(times: Int, bytes: Int) async {
        let cargo = Cargo.sample(1, bytes: bytes)
        let begin = ContinuousClock.now
        _ = try? await self.actorSystem.put(cargo)
        let usual = ContinuousClock.now - begin
        for count in 1...times {
            _ = try? await self.actorSystem.withDeadline(usual * 2 / times * count) {
                try await self.actorSystem.put(cargo)
            }
        }
    }

    /// Puts a value into the mesh, and gives the reference away.
    public distributed func make(_ seed: Int, bytes: Int) async throws -> ObjectRef<Cargo> {
        try await self.actorSystem.put(Cargo.sample(seed, bytes: bytes))
    }
}

/// A task that makes a value.
public struct MakeCargo: RemoteTask {
    private var seed: Int
    private var bytes: Int

    /// One of a seed and a size, as ``Cargo/sample(_:bytes:)``.
    public init(seed: Int, bytes: Int) {
        self.seed = seed
        self.bytes = bytes
    }

    /// Makes it.
    public func run(on mesh: Mesh) async throws -> Cargo { .sample(self.seed, bytes: self.bytes) }
}

/// A reference to a value, and the process that made it.
public struct Consignment: Codable, Sendable {
    /// The value.
    public var cargo: ObjectRef<Cargo>
    /// The process that owns it.
    public var process: Int32
}

/// A task that puts values into the mesh, and results in a reference to each.
public struct PutCargo: RemoteTask {
    private var seed: Int
    private var sizes: [Int]

    /// With values of these sizes.
    public init(seed: Int, sizes: [Int]) {
        self.seed = seed
        self.sizes = sizes
    }

    /// Makes them.
    public func run(on mesh: Mesh) async throws -> [Consignment] {
        var made: [Consignment] = []
        for bytes in self.sizes {
            let cargo = try await mesh.put(Cargo.sample(self.seed, bytes: bytes))
            made.append(Consignment(cargo: cargo, process: getpid()))
        }
        return made
    }
}

/// A task that reads a value.
public struct SumCargo: RemoteTask {
    private var cargo: ObjectRef<Cargo>

    /// Of a value.
    public init(_ cargo: ObjectRef<Cargo>) { self.cargo = cargo }

    /// Adds its numbers up.
    public func run(on mesh: Mesh) async throws -> Double { try await self.cargo.value.numbers.reduce(0, +) }
}
