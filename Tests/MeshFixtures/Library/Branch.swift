public import ActorMesh
import Glibc

/// One of a tree of actors: it has those below it made in its initialiser, and tells a witness of its beginning, its
/// work and its cleaning up.
public distributed actor Branch: RemoteActor {
    /// What it is made from.
    public struct Arguments: Codable, Sendable {
        /// What it is called by the witness.
        public var name: String
        /// Whom it tells.
        public var witness: Witness
        /// How many children it has, and each of those, and so on down the tree.
        public var shape: [Int]
        /// From which life on its initialiser fails.
        public var failsFrom: UInt64?

        /// One without children, unless a shape is given.
        public init(_ name: String, _ witness: Witness, shape: [Int] = [], failsFrom: UInt64? = nil) {
            self.name = name
            self.witness = witness
            self.shape = shape
            self.failsFrom = failsFrom
        }
    }

    private let name: String
    private let witness: Witness
    private var children: [Branch] = []

    /// Makes it and the tree below it.
    public init(_ arguments: Arguments, actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        (self.name, self.witness) = (arguments.name, arguments.witness)
        let life = ActorContext.current.incarnation
        try await arguments.witness.reach("\(arguments.name) started \(life)")
        if let first = arguments.failsFrom, life >= first { throw Refusal.closed }
        guard let count = arguments.shape.first else { return }
        for number in 0..<count {
            let below = Arguments(
                "\(arguments.name).\(number)", arguments.witness, shape: Array(arguments.shape.dropFirst()))
            self.children.append(try await actorSystem.spawn(Branch.self, below, options: .init(name: below.name)))
        }
    }

    /// Tells the witness why it ends.
    public func cleanUp(because cause: ActorTermination.Cause) async {
        try? await self.witness.reach("\(self.name) cleaned up: \(cause)")
    }

    /// Which life it is in.
    public distributed func life() -> UInt64 { ActorContext.current.incarnation }

    /// The process that it lives in.
    public distributed func processID() -> Int32 { getpid() }

    /// The processes of the tree, its own first.
    public distributed func processes() async throws -> [Int32] {
        var all = [getpid()]
        for child in self.children { all += try await child.processes() }
        return all
    }

    /// Those below it.
    public distributed func family() -> [Branch] { self.children }

    /// Tells the witness, after its name.
    public distributed func note(_ text: String) async throws { try await self.witness.reach("\(self.name) \(text)") }

    /// Says that it runs, and goes on when the witness has seen "go".
    public distributed func hold() async throws {
        try await self.witness.reach("\(self.name) held")
        try await self.witness.wait(for: "go", count: 1)
        try await self.witness.reach("\(self.name) done")
    }

    /// Has a task make a child for it, and keeps that.
    public distributed func growByTask() async throws {
        let planting = Planting(arguments: Arguments("\(self.name).task", self.witness))
        self.children.append(try await self.actorSystem.submit(planting).value)
    }

    /// Ends itself.
    public distributed func exit() throws { try ActorContext.current.exit() }

    /// Prints a line and ends its process the hard way.
    public distributed func crash(saying line: String) {
        print(line)
        fflush(nil)
        kill(getpid(), SIGKILL)
    }
}

/// A task that makes an actor.
public struct Planting: RemoteTask {
    private var arguments: Branch.Arguments

    /// Makes the task.
    public init(arguments: Branch.Arguments) { self.arguments = arguments }

    /// Makes the actor, under its name.
    public func run(on mesh: Mesh) async throws -> Branch {
        try await mesh.spawn(Branch.self, self.arguments, options: .init(name: self.arguments.name))
    }
}
