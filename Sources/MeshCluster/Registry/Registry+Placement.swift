package import MeshCore
package import MeshRuntime

/// Where actors live.
extension Registry {
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
    fileprivate static func shortfall(of needs: Resources, on nodes: [Resources]) -> String? {
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
}

extension Resources {
    package func covers(_ needs: Resources) -> Bool {
        self.cpus >= needs.cpus && self.gpus >= needs.gpus && self.memory >= needs.memory
            && needs.custom.allSatisfy { (self.custom[$0.key] ?? 0) >= $0.value }
    }
}
