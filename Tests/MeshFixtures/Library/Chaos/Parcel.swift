public import ActorMesh

/// A reference that travels, and what it has to refer to.
public struct Parcel: Codable, Sendable {
    /// What is referred to.
    public indirect enum Content: Codable, Sendable {
        /// A value.
        case cargo(ObjectRef<Cargo>)
        /// A value with references in it.
        case crate(ObjectRef<Crate>)
    }

    /// Of which seed and size the value has to be.
    public var seed: Int
    /// As ``Cargo/sample(_:bytes:)`` takes it.
    public var bytes: Int
    /// Who put it into the mesh; nil when its owner may have died without that being known.
    public var owner: String?
    /// The reference.
    public var content: Content

    /// Makes one.
    public init(seed: Int, bytes: Int, owner: String? = nil, content: Content) {
        self.seed = seed
        self.bytes = bytes
        self.owner = owner
        self.content = content
    }
}

/// An object with references in it.
public struct Crate: Codable, Sendable {
    /// What is in it.
    public var parcels: [Parcel]

    /// With parcels.
    public init(parcels: [Parcel]) { self.parcels = parcels }
}

/// What somebody found who read a parcel.
public enum Verdict: Codable, Hashable, Sendable {
    /// The right value.
    case right
    /// `objectLost`.
    case lost
    /// What must not be: another value, another error, or none of both in time.
    case wrong(String)
}

extension Parcel {
    /// Far more than anything takes that ends.
    private static let patience = Duration.seconds(60)

    /// Reads it, and what is in it.
    package func inspect(on mesh: Mesh) async -> [Verdict] {
        do {
            switch self.content {
            case .cargo(let ref):
                let cargo = try await mesh.get(ref, timeout: Self.patience)
                let isRight = cargo == Cargo.sample(self.seed, bytes: self.bytes)
                return [isRight ? .right : .wrong("\(ref): \(cargo.name) instead of \(self.seed)")]
            case .crate(let ref):
                let crate = try await mesh.get(ref, timeout: Self.patience)
                var verdicts = [Verdict.right]
                for parcel in crate.parcels { verdicts += await parcel.inspect(on: mesh) }
                return verdicts
            }
        } catch let error as MeshError where error.code == .objectLost {
            return [.lost]
        } catch {
            return [.wrong("\(self.content): \(error)")]
        }
    }
}

/// Keeps parcels for a while, and reads and makes others.
public distributed actor Depot: RemoteActor {
    private var kept: [Parcel] = []

    /// Makes one that has none.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Takes a parcel. Returns another one, once there are some.
    public distributed func exchange(_ parcel: Parcel, _ choice: Int) -> Parcel? {
        self.kept.append(parcel)
        return self.kept.count > 6 ? self.kept.remove(at: choice % self.kept.count) : nil
    }

    /// Reads a parcel.
    public distributed func inspect(_ parcel: Parcel) async -> [Verdict] { await parcel.inspect(on: self.actorSystem) }

    /// Puts a value into the mesh: its owner is the process of this actor.
    public distributed func make(_ seed: Int, bytes: Int) async throws -> Parcel {
        let ref = try await self.actorSystem.put(Cargo.sample(seed, bytes: bytes))
        return Parcel(seed: seed, bytes: bytes, content: .cargo(ref))
    }

    /// Lets everything go.
    public distributed func empty() { self.kept = [] }
}

/// A task that has much in its field.
public struct Unpacking: RemoteTask {
    private var crate: Crate

    /// Of a crate.
    public init(_ crate: Crate) { self.crate = crate }

    /// How many parcels are in it.
    public func run(on mesh: Mesh) async throws -> Int { self.crate.parcels.count }
}

/// A task that reads a parcel, which it waits for.
public struct Inspection: RemoteTask {
    /// What to read.
    public var parcel: Parcel

    /// Of a parcel.
    public init(_ parcel: Parcel) { self.parcel = parcel }

    /// Reads it.
    public func run(on mesh: Mesh) async throws -> [Verdict] { await self.parcel.inspect(on: mesh) }
}
