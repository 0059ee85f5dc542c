public import ActorMesh
import Glibc

/// Says which GPUs it has, and what its process saw when it was made.
public distributed actor Tenant: RemoteActor {
    /// What somebody sees of GPUs.
    public struct View: Hashable, Sendable, Codable {
        /// Their numbers.
        public var ids: [Int]
        /// What CUDA would see; nil when the variable is not there.
        public var devices: String?

        /// Makes one.
        public init(ids: [Int], devices: String?) {
            self.ids = ids
            self.devices = devices
        }

        /// What is so now.
        static var now: View {
            View(ids: ActorContext.current.gpuIDs, devices: getenv("CUDA_VISIBLE_DEVICES").map { String(cString: $0) })
        }
    }

    private static let early = View.now
    private let born: View

    /// Makes one.
    public init(actorSystem: Mesh) {
        self.actorSystem = actorSystem
        self.born = View.now
        _ = Self.early
    }

    /// What it saw when its type was first used, when it was made, and now.
    public distributed func views() -> [View] { [Self.early, self.born, View.now] }

    /// The process that it lives in.
    public distributed func processID() -> Int32 { getpid() }

    /// Ends its process the hard way.
    public distributed func crash() { kill(getpid(), SIGKILL) }

    /// Ends itself.
    public distributed func retire() throws { try ActorContext.current.exit() }
}

/// A task that says which GPUs it has, waits until the witness has seen "go", and counts how many run at once.
public struct Occupy: RemoteTask {
    private var witness: Witness

    /// Makes one that tells the witness.
    public init(witness: Witness) { self.witness = witness }

    /// Waits.
    public func run(on mesh: Mesh) async throws -> Tenant.View {
        try await self.witness.reach("in")
        try await self.witness.wait(for: "go", count: 1)
        try await self.witness.reach("out")
        return Tenant.View.now
    }
}
