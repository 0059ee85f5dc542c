package import MeshCore

/// Which actors a process holds, what the broker has been told of it, and what has to be told. A value without clocks,
/// tasks or messages.
///
/// Holding is a yes or no: all counted handles to an actor share one lease, whose coming and going is told here. What
/// the broker counts are the *grants* of a hold, one for each time it was told of it or gave a handle by itself; letting
/// go gives them all back at once. One report is under way at a time, so that they arrive in order.
///
/// Nothing grows without bound: an actor that is not held has no entry once the broker knows that, and one that came
/// and went between two reports never had the broker hear of it.
///
/// References to objects are held like handles to actors. Of its own objects a process says each time that it let them
/// go, also when the broker never heard that it had them: the answer tells whether anybody else has.
package struct Holds: Sendable {
    /// A message with handles, as its receiver names it.
    package struct Transit: Hashable, Sendable {
        package var sender: PeerID
        package var number: UInt64

        package init(sender: PeerID, number: UInt64) {
            self.sender = sender
            self.number = number
        }
    }

    private struct Hold {
        /// Where it is on its way out.
        enum Phase { case held, draining, released }

        var phase = Phase.held
        /// How often the broker has counted it, as far as it has said so.
        var grants = 0
        /// Whether the report that is under way tells of it.
        var isBeingTold = false
        /// Whether the broker has said that the actor ended for good, so that nothing more is to be told.
        var isOver = false
        /// The messages that brought it, whose senders wait until the broker knows.
        var waiting: [Transit] = []

        /// Whether the broker may know of it.
        var isKnown: Bool { self.grants > 0 || self.isBeingTold }
    }

    private var entries: [UniqueID: Hold] = [:]
    private var toAcquire: Set<UniqueID> = []
    private var toRelease: Set<UniqueID> = []
    private var underWay: HoldChanges?
    private var wantsComplete = false
    /// For how many actors each message waits.
    private var waiting: [Transit: Int] = [:]
    private var confirmed: [Transit] = []

    /// How many messages with handles may wait for the broker. The senders of more hold on to what was in them.
    private static let mostWaiting = 1 << 16
    /// The process that this is of; nil for one that owns no objects.
    private let process: PeerID?

    package init(of process: PeerID? = nil) { self.process = process }

    private func isOwn(_ object: UniqueID) -> Bool { self.process != nil && object.owner == self.process }

    // MARK: What happens here

    /// The first handle to an actor has come.
    package mutating func take(_ actor: UniqueID) {
        self.toRelease.remove(actor)
        if let hold = self.entries[actor] {
            self.entries[actor]?.phase = .held
            // An own object that came and went before the broker heard of it.
            if !hold.isKnown, !hold.isOver { self.toAcquire.insert(actor) }
            return
        }
        self.entries[actor] = Hold()
        self.toAcquire.insert(actor)
    }

    /// The broker has given a handle by itself, and counted it. The actor must be held.
    package mutating func grant(_ actor: UniqueID) {
        guard var hold = self.entries[actor] else { return }
        hold.grants += 1
        if !self.wantsComplete { self.settle(&hold) }
        self.entries[actor] = hold
        self.toAcquire.remove(actor)
    }

    /// The last handle to an actor has gone.
    ///
    /// - Parameter isDrained: whether everything that was sent to it is known to have arrived. If not, `drained` says
    ///   so later, and only then is the broker told.
    package mutating func drop(_ actor: UniqueID, isDrained: Bool) {
        guard var hold = self.entries[actor], hold.phase == .held else { return }
        // Whoever waits until this process holds the actor itself need not any more.
        self.settle(&hold)
        hold.phase = isDrained ? .released : .draining
        self.entries[actor] = hold
        self.toAcquire.remove(actor)
        self.letGo(actor)
    }

    /// Everything that was sent to an actor before its last handle went has arrived, or never will.
    package mutating func drained(_ actor: UniqueID) {
        guard self.entries[actor]?.phase == .draining else { return }
        self.entries[actor]?.phase = .released
        self.letGo(actor)
    }

    private mutating func letGo(_ actor: UniqueID) {
        guard let hold = self.entries[actor], hold.phase != .held else { return }
        if !hold.isKnown, !self.isOwn(actor) {
            self.entries[actor] = nil
        } else if hold.phase == .released {
            self.toRelease.insert(actor)
        }
    }

    /// A message has brought handles; all of their actors must be held. Its sender holds them until it is in
    /// `takeConfirmed`. A message that waits already is not counted twice.
    package mutating func received(_ transit: Transit, _ actors: some Sequence<UniqueID>) {
        guard self.waiting[transit] == nil, self.waiting.count < Self.mostWaiting else { return }
        var count = 0
        for actor in Set(actors) {
            guard let hold = self.entries[actor], hold.phase == .held, !hold.isOver else { continue }
            // What the broker knew before it went away does not count.
            guard hold.grants == 0 || self.wantsComplete else { continue }
            self.entries[actor]?.waiting.append(transit)
            count += 1
        }
        if count == 0 { self.confirmed.append(transit) } else { self.waiting[transit] = count }
    }

    private mutating func settle(_ hold: inout Hold) {
        for transit in hold.waiting {
            guard let count = self.waiting[transit] else { continue }
            self.waiting[transit] = count == 1 ? nil : count - 1
            if count == 1 { self.confirmed.append(transit) }
        }
        hold.waiting = []
    }

    /// The messages whose senders need not hold on to their handles any more.
    package mutating func takeConfirmed() -> [Transit] {
        defer { self.confirmed = [] }
        return self.confirmed
    }

    /// A process is gone: nothing is to be confirmed to it.
    package mutating func forget(_ sender: PeerID) {
        self.waiting = self.waiting.filter { $0.key.sender != sender }
        self.confirmed.removeAll { $0.sender == sender }
    }

    // MARK: What the broker is told

    /// Whether there is something to report, or will be when the report that is under way has been answered.
    package var hasNews: Bool { self.wantsComplete || !self.toAcquire.isEmpty || !self.toRelease.isEmpty }

    /// What the broker is to be told now; nil when that is nothing, or a report is under way. `accepted` or `failed`
    /// must follow.
    package mutating func nextReport() -> HoldChanges? {
        guard self.underWay == nil, self.hasNews else { return nil }
        let report = self.wantsComplete ? self.takeComplete() : self.takeChanges()
        self.underWay = report
        return report
    }

    private mutating func takeChanges() -> HoldChanges {
        for actor in self.toAcquire { self.entries[actor]?.isBeingTold = true }
        let released = self.toRelease.map { actor in
            HoldChanges.Released(actor: actor, grants: self.entries.removeValue(forKey: actor)?.grants ?? 0)
        }
        defer { (self.toAcquire, self.toRelease) = ([], []) }
        return HoldChanges(acquired: Array(self.toAcquire), released: released)
    }

    private mutating func takeComplete() -> HoldChanges {
        self.wantsComplete = false
        // What is said of own objects is asked at the same time, and of those the broker has to hear.
        let asked = self.toRelease.filter(self.isOwn).map { HoldChanges.Released(actor: $0, grants: 0) }
        (self.toAcquire, self.toRelease) = ([], [])
        self.entries = self.entries.filter { $0.value.phase != .released }
        let held = self.entries.filter { !$0.value.isOver }.map(\.key)
        for actor in held {
            self.entries[actor]?.grants = 0
            self.entries[actor]?.isBeingTold = true
        }
        return HoldChanges(acquired: held, released: asked, isComplete: true)
    }

    /// An object of this process may be held by nobody any more: the broker is asked, unless it is held here.
    package mutating func ask(_ object: UniqueID) {
        guard self.isOwn(object), self.entries[object] == nil else { return }
        self.toRelease.insert(object)
    }

    /// The broker has taken the report. Of these actors it says that they have ended for good, and of this process's own
    /// objects among them that nobody held them.
    ///
    /// - Returns: those of which that is still so: nobody has been given an object of this process since.
    @discardableResult
    package mutating func accepted(ended: [UniqueID] = []) -> [UniqueID] {
        let report = self.underWay
        self.underWay = nil
        for actor in report?.acquired ?? [] {
            guard var hold = self.entries[actor], hold.isBeingTold else { continue }
            hold.isBeingTold = false
            hold.grants += 1
            if !self.wantsComplete { self.settle(&hold) }
            self.entries[actor] = hold
            self.letGo(actor)
        }
        var over: [UniqueID] = []
        for actor in ended {
            if self.isOwn(actor), self.entries[actor] != nil || self.toRelease.contains(actor) { continue }
            self.over(actor)
            over.append(actor)
        }
        return over
    }

    private mutating func over(_ actor: UniqueID) {
        guard var hold = self.entries[actor] else { return }
        hold.isOver = true
        hold.grants = 0
        self.settle(&hold)
        self.entries[actor] = hold
        self.toRelease.remove(actor)
        self.letGo(actor)
    }

    /// The report did not arrive, or nobody knows. The next one is complete.
    package mutating func failed() {
        let asked = self.underWay?.released.map(\.actor).filter(self.isOwn) ?? []
        self.underWay = nil
        self.wantsComplete = true
        for object in asked { self.ask(object) }
        for actor in self.entries.keys {
            self.entries[actor]?.isBeingTold = false
            self.letGo(actor)
        }
    }

    /// The broker has forgotten: the next report is complete.
    package mutating func reportEverything() { self.wantsComplete = true }

    // MARK: For tests

    /// Whether the sender of a message of that number has not been answered yet.
    package func waits(for number: UInt64) -> Bool {
        self.waiting.keys.contains { $0.number == number } || self.confirmed.contains { $0.number == number }
    }

    /// How much is remembered here, of any kind.
    package var size: Int { self.entries.count + self.waiting.count + self.confirmed.count }
}
