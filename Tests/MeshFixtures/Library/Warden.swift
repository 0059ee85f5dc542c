public import ActorMesh

/// A supervisor that decides as it was told, and writes down what it was asked.
public distributed actor Warden: Supervisor {
    /// What it is made from.
    public struct Arguments: Codable, Sendable {
        /// What its children are called.
        public var children: [String]
        /// Whom they tell.
        public var witness: Witness
        /// What it decides about each; nil: it never answers.
        public var decision: Supervision.Decision?

        /// Makes arguments.
        public init(_ children: [String], _ witness: Witness, decision: Supervision.Decision? = .restart) {
            self.children = children
            self.witness = witness
            self.decision = decision
        }
    }

    private let decision: Supervision.Decision?
    private var children: [Branch] = []
    private var deaths: [ActorTermination] = []

    /// Makes the children, one after the other.
    public init(_ arguments: Arguments, actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        self.decision = arguments.decision
        for name in arguments.children {
            self.children.append(
                try await actorSystem.spawn(
                    Branch.self, .init(name, arguments.witness, shape: [1]), options: .init(name: name)))
        }
    }

    /// Decides as it was told.
    public func childDied(_ child: ActorTermination) async -> Supervision.Decision {
        self.deaths.append(child)
        if let decision { return decision }
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        return .restart
    }

    /// The children.
    public distributed func family() -> [Branch] { self.children }

    /// What it was asked about.
    public distributed func asked() -> [ActorTermination] { self.deaths }

    /// Which life it is in.
    public distributed func life() -> UInt64 { ActorContext.current.incarnation }
}
