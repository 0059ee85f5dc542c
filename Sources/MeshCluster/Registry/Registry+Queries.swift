package import FoundationEssentials
package import MeshCore
package import MeshRuntime

/// What somebody who looks at the mesh wants to know, and no more of it than he can look at.
extension Registry {
    // MARK: One actor

    /// What is listed of an actor.
    package func info(_ entry: Entry) -> ActorInfo {
        ActorInfo(
            id: entry.spec.id, typeName: entry.spec.displayType, name: entry.spec.options.name,
            namespace: entry.spec.options.namespace ?? Self.defaultNamespace, state: Self.state(of: entry),
            node: self.nodeName(of: entry), processID: entry.address?.processID ?? 0,
            incarnation: entry.spec.incarnation, placement: entry.spec.options.placement,
            lifetime: entry.spec.options.lifetime, owner: entry.spec.isDetached ? nil : entry.spec.owner.actor,
            ownerProcess: entry.spec.isDetached ? nil : entry.spec.owner.process, restarts: entry.restarts,
            holders: entry.holders.count, children: entry.children.count,
            waitsFor: self.waitingReason(of: entry.spec.id), resources: entry.spec.options.resources,
            gpuIDs: entry.node == nil ? [] : entry.spec.gpuIDs ?? [])
    }

    private static func state(of entry: Entry) -> ActorInfo.State {
        switch entry.phase {
        case .pending: .pending
        case .starting: entry.restarts == 0 ? .starting : .restarting
        case .alive: .alive
        case .deciding, .restarting, .missing: .restarting
        case .ending: .ending
        }
    }

    private func nodeName(of entry: Entry) -> String {
        entry.node.flatMap { self.nodes[$0]?.registration.name } ?? ""
    }

    /// Everything that is known of an actor; nil when nothing is.
    package func details(of id: UniqueID) -> ActorDetails? {
        guard let entry = self.entries[id] else {
            return self.terminations[id].map { ActorDetails(termination: $0) }
        }
        let holders = entry.holders.keys.sorted { $0.number < $1.number }.prefix(100).map { process in
            let actors = self.inOrder(self.processes[process]?.actors ?? []).prefix(10)
            return ActorDetails.Holder(
                process: process, node: self.nodeName(ofWorker: process),
                actors: actors.compactMap { self.entries[$0].map(self.info) })
        }
        return ActorDetails(
            actor: self.info(entry), owner: self.living(ownerOf: entry).map(self.info), holders: holders,
            maxRestarts: entry.spec.options.maxRestarts, maxConcurrency: entry.spec.options.maxConcurrency)
    }

    /// The name of the node whose worker a process is.
    private func nodeName(ofWorker process: PeerID) -> String? {
        self.processes[process]?.node.flatMap { self.nodes[$0]?.registration.name }
    }

    private func living(ownerOf entry: Entry) -> Entry? {
        entry.spec.isDetached ? nil : entry.spec.owner.actor.flatMap { self.entries[$0] }
    }

    private func parent(of entry: Entry) -> ActorQuery.Parent {
        if entry.spec.isDetached { return .nobody }
        if let owner = entry.spec.owner.actor, self.entries[owner] != nil { return .actor(owner) }
        return .program(entry.spec.owner.process)
    }

    // MARK: Many actors

    /// The actors that a query asks for.
    package func actors(matching query: ActorQuery) -> ActorPage {
        let filter = Filter(query)
        var found: [(key: SortKey, entry: Entry)] = []
        if case .actor(let owner) = query.parent {
            // An actor knows its children, who may be few among many.
            for id in self.entries[owner]?.children ?? [] {
                guard let entry = self.entries[id], self.matches(entry, filter) else { continue }
                found.append((self.key(of: entry, for: query.order), entry))
            }
        } else {
            for entry in self.entries.values where self.matches(entry, filter) {
                found.append((self.key(of: entry, for: query.order), entry))
            }
        }
        found.sort { query.isDescending ? $1.key < $0.key : $0.key < $1.key }
        let page = found.dropFirst(max(0, query.offset)).prefix(Self.bounded(query.limit))
        return ActorPage(
            actors: page.map { self.info($0.entry) }, matching: found.count, total: self.entries.count)
    }

    /// Those of the ended actors that a query asks for by its text, type, node and namespace, the last first.
    package func endedActors(matching query: ActorQuery) -> EndedActorPage {
        let filter = Filter(query)
        var page: [ActorTermination] = []
        var matching = 0
        let (first, limit) = (max(0, query.offset), Self.bounded(query.limit))
        for id in self.terminationOrder.reversed() {
            guard let termination = self.terminations[id],
                filter.matches(
                    id, name: termination.name, type: termination.typeName, namespace: termination.namespace,
                    node: termination.node)
            else { continue }
            if matching >= first, page.count < limit { page.append(termination) }
            matching += 1
        }
        return EndedActorPage(terminations: page, matching: matching, total: self.terminations.count)
    }

    private static func bounded(_ limit: Int) -> Int { min(max(1, limit), ActorQuery.maximumLimit) }

    private func matches(_ entry: Entry, _ filter: Filter) -> Bool {
        let query = filter.query
        if !query.states.isEmpty, !query.states.contains(Self.state(of: entry)) { return false }
        if let parent = query.parent, self.parent(of: entry) != parent { return false }
        return filter.matches(
            entry.spec.id, name: entry.spec.options.name, type: entry.spec.displayType,
            namespace: entry.spec.options.namespace ?? Self.defaultNamespace, node: self.nodeName(of: entry))
    }

    private func key(of entry: Entry, for order: ActorQuery.Order) -> SortKey {
        let name = entry.spec.options.name
        // Those with a name come first.
        let label = name.map { "0\($0)" } ?? "1\(shortName(ofType: entry.spec.displayType))"
        let key: (text: String, number: Int) =
            switch order {
            case .name: (label, 0)
            case .type: ("\(shortName(ofType: entry.spec.displayType))\0\(label)", 0)
            case .state: (Self.state(of: entry).rawValue, 0)
            case .node: (self.nodeName(of: entry), 0)
            case .restarts: ("", entry.restarts)
            case .holders: ("", entry.holders.count)
            case .children: ("", entry.children.count)
            case .age: ("", 0)
            }
        return SortKey(text: key.text, number: key.number, order: entry.order)
    }

    private struct SortKey: Comparable {
        var text: String
        var number: Int
        var order: UInt64

        static func < (left: SortKey, right: SortKey) -> Bool {
            if left.number != right.number { return left.number < right.number }
            if left.text != right.text { return left.text < right.text }
            return left.order < right.order
        }
    }

    /// A query, made ready to be compared with many actors.
    private struct Filter {
        let query: ActorQuery
        private let words: [String]

        init(_ query: ActorQuery) {
            self.query = query
            self.words = query.text.lowercased().split(whereSeparator: \.isWhitespace).map(String.init)
        }

        func matches(_ id: UniqueID, name: String?, type: String, namespace: String, node: String) -> Bool {
            if let wanted = self.query.node, wanted != node { return false }
            if let wanted = self.query.namespace, wanted != namespace { return false }
            if let wanted = self.query.type, wanted != type, wanted != shortName(ofType: type) { return false }
            guard !self.words.isEmpty else { return true }
            let text = "\(name ?? "")\n\(type)\n\(namespace)\n\(node)".lowercased()
            return self.words.allSatisfy { text.contains($0) || id.description.hasPrefix($0) }
        }
    }

    // MARK: Everything

    /// What there is, in numbers.
    ///
    /// - Parameter processID: the number of a process on its host, as far as that is known.
    package func overview(
        date: Date, startDate: Date, processID: (PeerID) -> Int32?
    ) -> MeshOverview {
        var states: [ActorInfo.State: Int] = [:]
        var types: [String: Int] = [:]
        var programs: [PeerID: Int] = [:]
        var detached = 0
        for entry in self.entries.values {
            states[Self.state(of: entry), default: 0] += 1
            types[entry.spec.displayType, default: 0] += 1
            switch self.parent(of: entry) {
            case .actor: break
            case .program(let process): programs[process, default: 0] += 1
            case .nobody: detached += 1
            }
        }
        let frequent = types.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(50)
        let known = programs.sorted { $0.key.number < $1.key.number }.prefix(1000)
        var resources = ResourceAmounts()
        var used = ResourceAmounts()
        for node in self.nodes.values {
            for kind in node.pool.total.kinds {
                resources[kind] += node.pool.total[kind]
                used[kind] += node.pool.used[kind]
            }
        }
        return MeshOverview(
            date: date, startDate: startDate, states: states,
            types: frequent.map { MeshOverview.TypeCount(type: $0.key, count: $0.value) }, typeCount: types.count,
            ended: self.terminations.count, restarts: self.restartCount, nodes: self.nodes.count,
            resources: resources.resources,
            used: used.resources, sharedObjects: self.objectCount, placementGroups: self.groups.count,
            programs: known.map { process, count in
                MeshOverview.Program(
                    process: process, processID: processID(process) ?? 0, node: self.nodeName(ofWorker: process),
                    actors: count)
            }, detached: detached)
    }
}
