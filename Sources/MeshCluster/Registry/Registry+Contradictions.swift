import HeapModule
import MeshCore
import MeshRuntime

/// Whether what is written twice agrees. For tests.
extension Registry {
    /// What contradicts itself, in words; empty when all is well.
    package func contradictions(at now: Moment) -> [String] {
        var found: [String] = []
        func check(_ holds: Bool, _ message: @autoclosure () -> String) {
            if !holds { found.append(message()) }
        }
        let planned = Set(self.agenda.unordered.map { PlannedActor(actor: $0.actor, time: $0.time) })
        for (id, entry) in self.entries {
            let label = "\(entry.spec.label) (\(id.short)), \(entry.phase.kind)"
            self.checkPlace(of: entry, label, check)
            self.checkFamily(of: entry, label, check)
            if let name = entry.spec.options.name {
                let key = NameKey(name: name, namespace: entry.spec.options.namespace ?? Self.defaultNamespace)
                check(self.names[key] == id, "\(label) does not have its name")
            }
            for holder in entry.holders.keys {
                check(self.processes[holder]?.holds.contains(id) == true, "\(label): \(holder) does not know its hold")
            }
            if let due = entry.due, due > now.time {
                check(planned.contains(PlannedActor(actor: id, time: due)), "\(label) is not on the agenda for \(due)")
            }
            check(self.terminations[id] == nil, "\(label) has ended")
        }
        for (name, id) in self.names { check(self.entries[id] != nil, "the name \(name.name) belongs to nobody") }
        for (peer, node) in self.nodes {
            for id in node.actors { check(self.entries[id]?.node == peer, "node \(peer) has \(id.short) no more") }
            for worker in node.workers {
                check(self.processes[worker]?.node == peer, "node \(peer) has worker \(worker) no more")
            }
            check(self.gone[peer] == nil, "node \(peer) is gone")
        }
        for (peer, process) in self.processes {
            self.check(process, peer, check)
        }
        self.checkResources(check)
        return found
    }

    /// Who has something is there, has it once, and all together have no more than there is; and nobody waits for what is
    /// free.
    private func checkResources(_ check: Check) {
        var pools: [PoolID: ResourcePool] = [:]
        for (peer, node) in self.nodes { pools[.node(peer)] = node.pool }
        for (id, group) in self.groups {
            for (index, bundle) in group.bundles.enumerated() {
                if let pool = bundle.pool { pools[.bundle(id, index)] = pool }
                let isGiven = bundle.node.map { self.nodes[$0]?.pool.grants[.bundle(id, index)] != nil } ?? true
                let isThere = bundle.node.map { self.nodes[$0] != nil } ?? false
                check(isGiven || !isThere, "bundle \(index) of \(id.short) is not taken from its node")
            }
            let waits = self.queue.contains(.group(id))
            check(
                waits == (!group.isPlaced && !group.isLeaving), "group \(id.short) \(waits ? "waits" : "does not wait")"
            )
        }
        for (id, pool) in pools {
            for text in pool.contradictions { check(false, "\(id): \(text)") }
            if let kind = pool.overdrawn { check(false, "\(id) has given away more \(kind) than it has") }
            for (claimant, grant) in pool.grants {
                check(self.isThere(claimant, in: id, grant), "\(claimant) has something of \(id) and is not there")
            }
        }
        for (id, entry) in self.entries where entry.node.map({ self.nodes[$0] != nil }) ?? false {
            let has = entry.pool.flatMap { pools[$0]?.grants[.actor(id)]?.amounts } ?? ResourceAmounts()
            check(has == entry.needs, "\(entry.spec.label) (\(id.short)) does not have what it needs")
        }
        for (id, lease) in self.leases {
            let grant = lease.node.flatMap { self.nodes[$0]?.pool.grants[.lease(id)] }
            check(
                grant?.amounts == lease.request.amounts || self.queue.contains(.lease(id))
                    || lease.request.holdsNothing,
                "lease \(id.short) has nothing")
        }
        guard !self.mayPlace else { return check(false, "something was freed and nobody was served") }
        var turns = self.queue.makeTurns()
        guard case (.request(let request), let member)? = turns.next() else { return }
        let choice = try? self.choose(request, Remaining())
        check(choice == nil, "\(member) waits first of all, and what it needs is free")
    }

    private func isThere(_ claimant: Claimant, in pool: PoolID, _ grant: ResourcePool.Grant) -> Bool {
        switch claimant {
        case .actor(let id): self.entries[id]?.pool == pool && self.entries[id]?.node == self.node(of: pool)
        case .lease(let id): self.leases[id].map { PoolID.node($0.node ?? PeerID(0)) == pool } ?? false
        case .bundle(let id, let index):
            self.groups[id].map { .node($0.bundles[index].node ?? PeerID(0)) == pool } ?? false
        case .process(let peer): self.gone[peer] == nil && self.processes[peer]?.remainders.contains(pool) == true
        }
    }

    private struct PlannedActor: Hashable {
        var actor: UniqueID
        var time: UInt64
    }

    private typealias Check = (_ holds: Bool, _ message: @autoclosure () -> String) -> Void

    private func checkPlace(of entry: Entry, _ label: String, _ check: Check) {
        let id = entry.spec.id
        if let node = entry.node {
            let isListed = self.nodes[node]?.actors.contains(id) ?? self.absent[node]?.contains(id) ?? false
            check(isListed, "\(label) is not listed by its node")
        }
        if let process = entry.address?.peer {
            check(self.processes[process]?.actors.contains(id) == true, "\(label) is not listed by its process")
            check(self.gone[process] == nil, "\(label) lives in a process that is gone")
        }
        switch entry.phase {
        case .pending:
            check(entry.node == nil, "\(label) is somewhere")
            check(self.queue.contains(.actor(id)), "\(label) waits for nothing")
        case .starting: check(entry.node.map { self.nodes[$0] != nil } ?? false, "\(label) starts nowhere")
        case .alive:
            check(entry.node.map { self.nodes[$0] != nil } ?? false, "\(label) is on no node")
            check(entry.address != nil, "\(label) has no address")
        case .ending: check(entry.node != nil, "\(label) ends nowhere")
        case .missing: check(entry.node.map { self.nodes[$0] == nil } ?? false, "\(label) is not missing")
        case .deciding, .restarting: check(entry.node == nil, "\(label) is somewhere")
        }
    }

    private func checkFamily(of entry: Entry, _ label: String, _ check: Check) {
        let id = entry.spec.id
        for child in entry.children {
            let owner = self.entries[child]?.spec.owner.actor
            check(owner == id, "\(label) has a child \(child.short) that is not its own")
        }
        for child in entry.endingGroup {
            var isEnding = false
            if case .ending(let ending)? = self.entries[child]?.phase, case .restart = ending.next { isEnding = true }
            check(isEnding, "\(label) waits for \(child.short), which is not ending")
        }
        if let sibling = entry.waitsAfter, let older = self.entries[sibling] {
            check(older.followers.contains(id), "\(label) waits for \(older.spec.label), which does not know it")
            check(older.order < entry.order, "\(label) waits for a younger one")
        }
        guard entry.spec.options.lifetime == .owned else { return }
        if let owner = entry.spec.owner.actor {
            if let owner = self.entries[owner], owner.spec.incarnation == entry.spec.owner.incarnation {
                check(owner.children.contains(id), "\(label) is unknown to its owner")
            } else if !entry.phase.isEnding {
                check(self.orphans[owner]?.contains(id) == true, "\(label) has no owner")
            }
        } else {
            let isKnown = self.processes[entry.spec.owner.process]?.children.contains(id) == true
            check(isKnown || entry.phase.isEnding, "\(label) is unknown to its owner")
        }
    }

    private func check(_ process: ProcessEntry, _ peer: PeerID, _ check: Check) {
        check(self.gone[peer] == nil, "process \(peer) is gone")
        for id in process.holds {
            check(self.entries[id]?.holders[peer] != nil, "process \(peer) does not hold \(id.short)")
        }
        for id in process.actors {
            check(self.entries[id]?.address?.peer == peer, "\(id.short) does not live in process \(peer)")
        }
        for id in process.children {
            check(self.entries[id]?.spec.owner.process == peer, "process \(peer) does not own \(id.short)")
        }
        if let node = process.node {
            check(self.nodes[node]?.workers.contains(peer) ?? true, "worker \(peer) is not listed by its node")
        }
    }
}

extension Registry.Phase {
    package var isEnding: Bool { if case .ending = self { true } else { false } }

    /// For people, in a word.
    package var kind: String {
        switch self {
        case .pending: "pending"
        case .starting: "starting"
        case .alive: "alive"
        case .deciding: "deciding"
        case .restarting: "restarting"
        case .ending: "ending"
        case .missing: "missing"
        }
    }
}
