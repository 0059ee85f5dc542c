package import MeshCore
import MeshRuntime

/// Where actors, tasks and bundles are put.
extension Registry {
    /// Whose resources are given: a node's, or those of a bundle on it.
    package enum PoolID: Hashable, Sendable {
        case node(PeerID)
        case bundle(UniqueID, Int)
    }

    /// A place that was chosen.
    package struct Choice: Sendable {
        package var node: PeerID
        package var pool: PoolID
        package var grant: ResourcePool.Grant
    }

    struct Candidate {
        var node: Node
        var pool: PoolID

        var name: String { self.node.registration.name }
    }

    /// The pools as those who come later see them: without what is set aside for those before them.
    struct Remaining {
        var changed: [PoolID: ResourcePool] = [:]
    }

    package func pool(_ id: PoolID) -> ResourcePool? {
        switch id {
        case .node(let peer): self.nodes[peer]?.pool
        case .bundle(let group, let index): self.groups[group]?.bundles[index].pool
        }
    }

    mutating func change(_ id: PoolID, _ change: (inout ResourcePool) -> Void) {
        guard var pool = self.pool(id) else { return }
        // It is taken out meanwhile, so that the table of who has what is not copied.
        self.set(id, ResourcePool.none)
        change(&pool)
        self.set(id, pool)
    }

    private mutating func set(_ id: PoolID, _ pool: ResourcePool) {
        switch id {
        case .node(let peer): self.nodes[peer]?.pool = pool
        case .bundle(let group, let index): self.groups[group]?.bundles[index].pool = pool
        }
    }

    func pool(_ id: PoolID, _ remaining: Remaining) -> ResourcePool {
        remaining.changed[id] ?? self.pool(id) ?? .none
    }

    // MARK: Choosing

    /// The place for somebody, as the rule for those who wait allows it; nil when he has to wait.
    ///
    /// - Throws: when there is no node that could ever have him: `typeNotFound` when none has the program,
    ///   `insufficientResources` when none is large enough, `invalidArgument` for a node or a group that is not there.
    func choose(_ request: PlacementRequest, _ remaining: Remaining) throws(MeshError) -> Choice? {
        var best: (choice: Choice, rank: Rank)?
        for candidate in try self.candidates(for: request) {
            let pool = self.pool(candidate.pool, remaining)
            guard let grant = pool.choose(request.amounts) else { continue }
            let choice = Choice(node: candidate.node.registration.address.peer, pool: candidate.pool, grant: grant)
            let rank = Rank(
                load: pool.load(with: request.amounts), actors: candidate.node.actors.count, name: candidate.name,
                isPacking: request.strategy == .pack)
            if let known = best, known.rank < rank { continue }
            best = (choice, rank)
        }
        return best?.choice
    }

    /// How good a node is, the best one first: the emptiest, or for those who pack the fullest.
    private struct Rank: Comparable {
        var load: Int64
        var actors: Int
        var name: String
        var isPacking: Bool

        static func < (one: Self, other: Self) -> Bool {
            let sign = one.isPacking ? -1 : 1
            return (one.load * Int64(sign), one.actors * sign, one.name)
                < (other.load * Int64(sign), other.actors * sign, other.name)
        }
    }

    /// The places that could have somebody if nobody else were there.
    ///
    /// - Throws: as ``choose(_:_:)``.
    func candidates(for request: PlacementRequest) throws(MeshError) -> [Candidate] {
        let label = request.label
        guard !self.nodes.isEmpty else {
            throw MeshError(.insufficientResources, "The mesh has no nodes to put \(label) on. Start one: mesh node.")
        }
        var nodes = Array(self.nodes.values)
        if let name = request.node {
            nodes.removeAll { $0.registration.name != name }
            guard !nodes.isEmpty else {
                let names = self.nodes.values.map(\.registration.name).sorted().joined(separator: ", ")
                throw MeshError(.invalidArgument, "No node is called \"\(name)\"; there are: \(names).")
            }
        }
        // Nearly always all have it, and then there is nothing to copy.
        let haveProgram = nodes.count { $0.registration.programs.contains(request.program) }
        if haveProgram < nodes.count, haveProgram > 0 || !request.isOfLibrary {
            nodes.removeAll { !$0.registration.programs.contains(request.program) }
        }
        guard !nodes.isEmpty else {
            let programs = Set(self.nodes.values.flatMap(\.registration.programs)).sorted().joined(separator: ", ")
            throw MeshError(
                .typeNotFound,
                "No node runs the program \"\(request.program)\" that has \(request.displayType); the nodes run: "
                    + "\(programs). Start a node with that program: \(request.program) node --mesh ADDRESS.")
        }
        var candidates = nodes.map { Candidate(node: $0, pool: .node($0.registration.address.peer)) }
        if let group = request.group {
            candidates = try self.bundles(of: group, request, on: candidates)
        }
        candidates = try self.narrow(candidates, by: request)
        let able = candidates.filter { candidate in
            guard let pool = self.pool(candidate.pool) else { return false }
            return pool.couldEver(request.amounts) && (request.group != nil || pool.couldEver(request.least))
        }
        // The bundles of a group that waits itself are not there yet.
        if able.isEmpty, candidates.isEmpty, request.group != nil { return [] }
        guard !able.isEmpty else {
            throw MeshError(
                .insufficientResources,
                "No \(request.group == nil ? "node" : "bundle") could ever hold \(label): "
                    + "\(self.shortfall(of: request, in: candidates)).")
        }
        return able
    }

    /// Those of some places that a strategy allows.
    private func narrow(
        _ candidates: [Candidate], by request: PlacementRequest
    ) throws(MeshError) -> [Candidate] {
        switch request.strategy.kind {
        case .pack, .spread: return candidates
        case .beside(let id):
            // One that has ended is nowhere, and stands in nobody's way.
            guard let other = self.entries[id] else { return candidates }
            return candidates.filter { $0.node.registration.address.peer == other.node }
        case .away(let id):
            guard let other = self.entries[id] else { return candidates }
            return candidates.filter { $0.node.registration.address.peer != other.node }
        }
    }

    // MARK: What is missing

    /// What is missing in every place, in words.
    private func shortfall(of request: PlacementRequest, in candidates: [Candidate]) -> String {
        let pools = candidates.compactMap { self.pool($0.pool) }
        let place = request.group == nil ? "node" : "bundle"
        var needs = request.amounts
        if request.group == nil { needs.cpus = max(needs.cpus, request.least.cpus) }
        guard !pools.isEmpty else {
            return switch request.strategy.kind {
            case .beside(let id): "the node of actor \(id.short), beside which it is to be, does not have its program"
            case .away(let id): "there is no node for it but that of actor \(id.short), which it is to be away from"
            case .pack, .spread: "there is no \(place) for it"
            }
        }
        var parts: [String] = []
        for kind in needs.kinds {
            let most = pools.map { $0.total[kind] }.max() ?? 0
            let isEnough = kind == .gpus ? pools.contains { $0.gpus.couldEver(needs.gpus) } : needs[kind] <= most
            if isEnough { continue }
            if case .custom = kind, most == 0 {
                let known = Set(pools.flatMap(\.total.custom.keys)).sorted().joined(separator: ", ")
                parts.append(
                    "it needs \(kind.text(needs[kind])), which no \(place) has"
                        + (known.isEmpty ? "" : "; there is: \(known)"))
            } else {
                parts.append("it needs \(kind.text(needs[kind])), the largest \(place) has \(kind.number(most))")
            }
        }
        return parts.isEmpty ? "no single \(place) has all of it" : parts.joined(separator: "; ")
    }

    /// What somebody waits for, in words: `1 gpu; node-a has 0 of 2 free`.
    func waitingReason(_ request: PlacementRequest) -> String {
        let candidates: [Candidate]
        do throws(MeshError) {
            candidates = try self.candidates(for: request).sorted { $0.name < $1.name }
        } catch {
            return error.message
        }
        guard !candidates.isEmpty else {
            return request.group == nil ? "a node" : "its placement group, which waits itself"
        }
        var wanted: [ResourceKind] = []
        var places: [String] = []
        for candidate in candidates {
            guard let pool = self.pool(candidate.pool) else { continue }
            let missing = pool.missing(for: request.amounts)
            guard !missing.isEmpty else {
                places.append("\(candidate.name) is kept for those who came before")
                continue
            }
            wanted += missing.filter { !wanted.contains($0) }
            let parts = missing.map { kind in
                let free = kind == .gpus ? pool.gpus.free : pool.free[kind]
                return
                    "\(kind.number(max(0, free))) of \(kind.number(pool.total[kind]))\(missing.count > 1 ? " \(kind)" : "")"
            }
            places.append("\(candidate.name) has \(parts.joined(separator: ", ")) free")
        }
        let more = places.count > 3 ? "; and \(places.count - 3) more nodes" : ""
        let what = wanted.isEmpty ? request.amounts.kinds : wanted
        return what.map { $0.text(request.amounts[$0]) }.joined(separator: ", ") + "; "
            + places.prefix(3).joined(separator: "; ") + more
    }
}

extension ResourceKind: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cpus: "cpus"
        case .gpus: "gpus"
        case .memory: "memory"
        case .custom(let name): name
        }
    }
}
