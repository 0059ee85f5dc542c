package import MeshCore
package import MeshRuntime

/// The actors, names and nodes of a mesh. A value without sockets or clocks; the broker does what it says.
package struct Registry: Sendable {
    package struct Entry: Sendable {
        package var spec: ActorSpec
        package var state: ActorInfo.State
        package var node: PeerID
        package var address: PeerAddress?
    }

    package struct Node: Sendable {
        package var registration: NodeRegistration
        package var actors: Set<UniqueID> = []
    }

    private struct NameKey: Hashable {
        var name: String
        var namespace: String
    }

    package private(set) var entries: [UniqueID: Entry] = [:]
    package private(set) var nodes: [PeerID: Node] = [:]
    private var names: [NameKey: UniqueID] = [:]

    package static let defaultNamespace = "default"

    package init() {}

    // MARK: Nodes

    /// Lists a node. Returns the actors that it was known to have, when it was listed before.
    package mutating func add(_ registration: NodeRegistration) -> Set<UniqueID> {
        let known = self.nodes[registration.address.peer]?.actors ?? []
        self.nodes[registration.address.peer] = Node(registration: registration, actors: known)
        return known
    }

    /// Forgets a node and the actors that lived on it.
    package mutating func removeNode(_ id: PeerID) -> [Entry] {
        guard let node = self.nodes.removeValue(forKey: id) else { return [] }
        return node.actors.compactMap { self.remove($0) }
    }

    /// The node for an actor: one that has its program and ever had the resources, with the fewest actors.
    ///
    /// - Throws: `typeNotFound` when no node has the program, `insufficientResources` when none is large enough,
    ///   `invalidArgument` for a node that is not there.
    package func place(_ spec: ActorSpec) throws(MeshError) -> Node {
        guard !self.nodes.isEmpty else {
            throw MeshError(
                .insufficientResources, "The mesh has no nodes to put \(spec.label) on. Start one: mesh node.")
        }
        var candidates = Array(self.nodes.values)
        if let name = spec.options.node {
            candidates.removeAll { $0.registration.name != name }
            guard !candidates.isEmpty else {
                let names = self.nodes.values.map(\.registration.name).sorted().joined(separator: ", ")
                throw MeshError(.invalidArgument, "No node is called \"\(name)\"; there are: \(names).")
            }
        }
        let all = candidates
        candidates.removeAll { !$0.registration.programs.contains(spec.program) }
        if candidates.isEmpty, spec.isOfLibrary { candidates = all }
        guard !candidates.isEmpty else {
            let programs = Set(self.nodes.values.flatMap(\.registration.programs)).sorted().joined(separator: ", ")
            throw MeshError(
                .typeNotFound,
                "No node runs the program \"\(spec.program)\" that has \(spec.displayType); the nodes run: "
                    + "\(programs). Start a node with that program: \(spec.program) node --mesh ADDRESS.")
        }
        let needs = spec.options.resources ?? Resources()
        if let shortfall = Self.shortfall(of: needs, on: candidates.map(\.registration.resources)) {
            throw MeshError(.insufficientResources, "No node could ever hold \(spec.label): \(shortfall).")
        }
        candidates.removeAll { !$0.registration.resources.covers(needs) }
        let best = candidates.min { one, other in
            (one.actors.count, one.registration.name) < (other.actors.count, other.registration.name)
        }
        guard let best else { throw MeshError(.insufficientResources, "No node could ever hold \(spec.label).") }
        return best
    }

    /// What is missing on every node, in words; nil when one has enough.
    private static func shortfall(of needs: Resources, on nodes: [Resources]) -> String? {
        guard !nodes.contains(where: { $0.covers(needs) }) else { return nil }
        var parts: [String] = []
        func check(_ what: String, _ need: Double, _ has: (Resources) -> Double) {
            let most = nodes.map(has).max() ?? 0
            if need > most { parts.append("it needs \(need) \(what), the largest node has \(most)") }
        }
        check("cpus", needs.cpus) { $0.cpus }
        check("gpus", needs.gpus) { $0.gpus }
        check("bytes of memory", Double(needs.memory.bytes)) { Double($0.memory.bytes) }
        for (name, amount) in needs.custom.sorted(by: { $0.key < $1.key }) {
            check(name, amount) { $0.custom[name] ?? 0 }
        }
        return parts.isEmpty ? "no single node has all of it" : parts.joined(separator: "; ")
    }

    // MARK: Actors

    /// Takes the actor's name, if it has one, and lists it as starting.
    ///
    /// - Throws: `nameTaken`, or `invalidArgument` for an empty name.
    package mutating func reserve(_ spec: ActorSpec, on node: PeerID) throws(MeshError) {
        if let key = try Self.key(of: spec) {
            if let holder = self.names[key] {
                throw MeshError(
                    .nameTaken,
                    "The name \"\(key.name)\" in namespace \"\(key.namespace)\" belongs to actor \(holder.short). "
                        + "Choose another, use findOrSpawn, or kill that actor.")
            }
            self.names[key] = spec.id
        }
        self.entries[spec.id] = Entry(spec: spec, state: .starting, node: node, address: nil)
        self.nodes[node]?.actors.insert(spec.id)
    }

    /// The actor's initialiser has ended. Returns false when it was killed in the meantime.
    package mutating func started(_ id: UniqueID, at address: PeerAddress) -> Bool {
        guard self.entries[id] != nil else { return false }
        self.entries[id]?.state = .alive
        self.entries[id]?.address = address
        return true
    }

    /// Takes over an actor that a node says it has, after this broker has been away.
    package mutating func adopt(_ spec: ActorSpec, on node: PeerID, at address: PeerAddress) throws(MeshError) {
        guard self.entries[spec.id] == nil else { return }
        try self.reserve(spec, on: node)
        _ = self.started(spec.id, at: address)
    }

    /// Forgets an actor; its name is free at once.
    package mutating func remove(_ id: UniqueID) -> Entry? {
        guard let entry = self.entries.removeValue(forKey: id) else { return nil }
        if let key = try? Self.key(of: entry.spec), self.names[key] == id { self.names[key] = nil }
        self.nodes[entry.node]?.actors.remove(id)
        return entry
    }

    package func find(name: String, namespace: String?) throws(MeshError) -> Entry? {
        let key = try Self.key(name: name, namespace: namespace)
        return self.names[key].flatMap { self.entries[$0] }
    }

    /// The actors that share the end of a process.
    package func owned(by owner: PeerID) -> [UniqueID] {
        self.entries.values.filter { $0.spec.owner == owner && $0.spec.options.lifetime == .owned }.map(\.spec.id)
    }

    /// The actors that live in a process.
    package func living(in process: PeerID) -> [UniqueID] {
        self.entries.values.filter { $0.address?.peer == process }.map(\.spec.id)
    }

    private static func key(of spec: ActorSpec) throws(MeshError) -> NameKey? {
        guard let name = spec.options.name else { return nil }
        return try self.key(name: name, namespace: spec.options.namespace)
    }

    private static func key(name: String, namespace: String?) throws(MeshError) -> NameKey {
        guard !name.isEmpty else {
            throw MeshError(.invalidArgument, "A name must not be empty; leave it out for an actor without one.")
        }
        guard name.utf8.count <= 512 else {
            throw MeshError(.invalidArgument, "A name has at most 512 bytes, this one has \(name.utf8.count).")
        }
        return NameKey(name: name, namespace: namespace ?? Self.defaultNamespace)
    }
}

extension Resources {
    package func covers(_ needs: Resources) -> Bool {
        self.cpus >= needs.cpus && self.gpus >= needs.gpus && self.memory >= needs.memory
            && needs.custom.allSatisfy { (self.custom[$0.key] ?? 0) >= $0.value }
    }
}
