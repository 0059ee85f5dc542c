import HeapModule
import MeshCore
import MeshRuntime

/// Which processes hold references to which objects, so that their owners know when nobody does.
///
/// An object's number says whose it is, so nobody has to list one: it is known here while somebody holds it. The values
/// are none of the broker's business.
extension Registry {
    struct ObjectEntry: Sendable {
        /// Who has references, with the number of grants.
        var holders: [PeerID: Int] = [:]
        /// Not before this time is it said that nobody holds it: somebody who does may not have said so yet.
        var releaseAt: UInt64 = 0
        let order: UInt64
    }

    /// A process has a reference.
    ///
    /// - Returns: why the object cannot be there any more; nil when it may be.
    mutating func hold(_ object: UniqueID, of owner: PeerID, by process: PeerID) -> EndedActor? {
        if let death = self.gone[owner] {
            return EndedActor(actor: object, reason: "Its owner, process \(owner), has ended: \(death.message)")
        }
        if self.objects[object] == nil { self.listObject(object) }
        self.objects[object]?.holders[process, default: 0] += 1
        self.processes[process, default: ProcessEntry()].objects.insert(object)
        return nil
    }

    private mutating func listObject(_ object: UniqueID) {
        self.objects[object] = ObjectEntry(order: self.nextOrder)
        self.nextOrder += 1
    }

    /// A process has let go of an object, or asks whether anybody holds one of its own.
    ///
    /// - Returns: that nobody does, for its owner.
    mutating func letGo(
        _ released: HoldChanges.Released, of owner: PeerID, by process: PeerID, at now: Moment
    ) -> EndedActor? {
        let object = released.actor
        if let grants = self.objects[object]?.holders[process] {
            self.objects[object]?.holders[process] = grants > released.grants ? grants - released.grants : nil
            if grants <= released.grants { self.processes[process]?.objects.remove(object) }
        }
        // One that a broker before this one knew may have holders that are still to come.
        if process == owner, self.objects[object] == nil, now.time < self.expectsReturnsUntil {
            self.listObject(object)
        }
        return self.checkObject(object, of: owner, askedBy: process, at: now)
    }

    /// Forgets an object that nobody holds, and tells its owner, unless it is the one who asks.
    @discardableResult
    private mutating func checkObject(
        _ object: UniqueID, of owner: PeerID, askedBy process: PeerID?, at now: Moment
    ) -> EndedActor? {
        if let entry = self.objects[object] {
            guard entry.holders.isEmpty else { return nil }
            let time = max(entry.releaseAt, self.expectsReturnsUntil)
            guard now.time >= time else {
                self.postponeObject(object, until: time)
                return nil
            }
            self.objects[object] = nil
        }
        guard process == owner else {
            if self.gone[owner] == nil { self.effects.append(.objectsFree([object], of: owner)) }
            return nil
        }
        return EndedActor(actor: object, reason: "Nobody holds it.")
    }

    private mutating func postponeObject(_ object: UniqueID, until time: UInt64) {
        guard let entry = self.objects[object] else { return }
        self.objects[object]?.releaseAt = max(entry.releaseAt, time)
        self.agenda.insert(
            Appointment(time: max(entry.releaseAt, time), order: entry.order, actor: object))
    }

    /// The time has come to look at an object that had nobody.
    mutating func actOnObject(_ object: UniqueID, at now: Moment) {
        guard let owner = object.owner, let entry = self.objects[object], entry.holders.isEmpty else { return }
        self.checkObject(object, of: owner, askedBy: nil, at: now)
    }

    /// A process says everything that it holds: what it does not name it does not hold, but it may have been given
    /// that while its report was on its way.
    mutating func forgetObjects(of process: PeerID, but named: Set<UniqueID>, at now: Moment) {
        for object in self.objectsInOrder(self.processes[process]?.objects ?? []) {
            self.objects[object]?.holders[process] = nil
            if !named.contains(object) { self.postponeObject(object, until: now.time + self.settings.graceAfterDeath) }
        }
        self.processes[process]?.objects = []
    }

    /// A process has ended: what it held. Of what it owned those who hold it let go in their time; if it was only given
    /// up, and comes back, it has that for them still.
    mutating func giveUpObjects(_ entry: ProcessEntry, of process: PeerID, at now: Moment) {
        for object in self.objectsInOrder(entry.objects) {
            self.objects[object]?.holders[process] = nil
            // A reference may be on its way from the dead process to a living one.
            self.postponeObject(object, until: now.time + self.settings.graceAfterDeath)
        }
    }

    private func objectsInOrder(_ objects: Set<UniqueID>) -> [UniqueID] {
        guard objects.count > 1 else { return Array(objects) }
        return objects.sorted { (self.objects[$0]?.order ?? 0) < (self.objects[$1]?.order ?? 0) }
    }

    /// How many objects are held, for tests.
    var objectCount: Int { self.objects.count }
}
