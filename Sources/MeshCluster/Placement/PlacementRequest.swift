package import MeshCore
package import MeshRuntime

/// What somebody asks of the mesh who has to be put somewhere. Those with equal ones stand in one line.
package struct PlacementRequest: Hashable, Sendable {
    /// Whose actors and tasks the node has to have.
    package var program: String
    package var displayType: String
    /// Whether any node will do when none has the program.
    package var isOfLibrary = false
    /// The name of the node that it has to be.
    package var node: String?
    /// What is held as long as the actor or the task is there.
    package var amounts: ResourceAmounts
    /// What the node must have in all, held by nobody: what somebody needs who has not said what he needs.
    package var least = ResourceAmounts()
    package var strategy: PlacementStrategy
    /// The placement group whose bundles it is put into.
    package var group: UniqueID?
    /// Which of them; nil for any.
    package var bundle: Int?

    /// What an actor asks for.
    ///
    /// - Throws: `invalidArgument` for what cannot be had anywhere.
    package init(_ spec: ActorSpec) throws(MeshError) {
        let options = spec.options
        self.program = spec.program
        self.displayType = spec.displayType
        self.isOfLibrary = spec.isOfLibrary
        self.node = options.node
        self.amounts = try ResourceAmounts(asked: options.resources ?? Resources())
        if options.resources == nil { self.least.cpus = ResourceAmounts.one }
        self.strategy = options.strategy ?? .spread
        self.group = options.placementGroup?.id
        self.bundle = options.bundle
        if self.amounts.gpus > 0, options.placement == .shared {
            throw MeshError(
                .invalidArgument,
                "\(spec.label) cannot have GPUs in a shared process: which ones a process sees is set for all of it. "
                    + "Leave out `placement: .shared`.")
        }
        if options.bundle != nil, options.placementGroup == nil {
            throw MeshError(.invalidArgument, "\(spec.label) names a bundle and no placement group that has it.")
        }
    }

    /// What a worker for tasks asks for.
    package init(program: String, displayType: String, resources: Resources) throws(MeshError) {
        self.program = program
        self.displayType = displayType
        self.amounts = try ResourceAmounts(asked: resources)
        self.strategy = .spread
    }

    /// Whether somebody can always be put on a node that is able to have him.
    package var holdsNothing: Bool { self.amounts.isZero }

    /// For people.
    var label: String { shortName(ofType: self.displayType) }
}
