package import DequeModule

/// Which members of a pool are free, which work, for whom, and who waits for one. A value.
///
/// A member does one thing at a time. Of those that are free the last one that became so is taken first; of those who
/// wait the first one is served first.
package struct PoolLedger<Member: Hashable & Sendable, Holder: Hashable & Sendable>: Sendable {
    /// Who asks, and which of its questions it is.
    package struct Ticket: Hashable, Sendable {
        package var holder: Holder
        package var number: UInt64

        package init(_ holder: Holder, _ number: UInt64) {
            self.holder = holder
            self.number = number
        }
    }

    /// A member that is given to who waited for it.
    package struct Assignment: Hashable, Sendable {
        package var ticket: Ticket
        package var member: Member
    }

    package private(set) var idle: [Member] = []
    package private(set) var busy: [Member: Ticket] = [:]
    package private(set) var waiting: Deque<Ticket> = []
    /// Members that are to leave as soon as they have done what they do.
    private var leaving: Set<Member> = []

    package init() {}

    /// How many members there are.
    package var count: Int { self.idle.count + self.busy.count - self.leaving.count }

    /// Whether somebody who asked now would be served at once.
    package var hasFree: Bool { !self.idle.isEmpty && self.waiting.isEmpty }

    /// - Returns: false when it is a member already.
    package mutating func add(_ member: Member) -> Bool {
        if self.leaving.remove(member) != nil { return true }
        guard self.busy[member] == nil, !self.idle.contains(member) else { return false }
        self.idle.append(member)
        return true
    }

    /// Somebody asks for a member; `next` says when there is one.
    package mutating func ask(_ ticket: Ticket) { self.waiting.append(ticket) }

    /// Somebody does not want one any more, if it has none yet.
    ///
    /// - Returns: whether it had none.
    package mutating func withdraw(_ ticket: Ticket) -> Bool {
        guard let index = self.waiting.firstIndex(of: ticket) else { return false }
        self.waiting.remove(at: index)
        return true
    }

    /// A member for the first who waits; nil when there is none, or nobody.
    package mutating func next() -> Assignment? {
        guard !self.waiting.isEmpty, let member = self.idle.popLast() else { return nil }
        let ticket = self.waiting.removeFirst()
        self.busy[member] = ticket
        return Assignment(ticket: ticket, member: member)
    }

    /// Whether a member is to leave when it has done what it does.
    package func isLeaving(_ member: Member) -> Bool { self.leaving.contains(member) }

    /// A member has done what it was asked for.
    ///
    /// - Parameter isDead: whether it can do nothing more.
    /// - Returns: whether it was doing that.
    @discardableResult
    package mutating func done(_ member: Member, by ticket: Ticket, isDead: Bool) -> Bool {
        guard self.busy[member] == ticket else { return false }
        self.busy[member] = nil
        if self.leaving.remove(member) == nil, !isDead { self.idle.append(member) }
        return true
    }

    /// A member leaves: at once if it is free, else when it has done what it does.
    ///
    /// - Returns: whether it was one.
    package mutating func remove(_ member: Member) -> Bool {
        if let index = self.idle.firstIndex(of: member) {
            self.idle.remove(at: index)
            return true
        }
        guard self.busy[member] != nil else { return false }
        return self.leaving.insert(member).inserted
    }

    /// Takes a free member out.
    package mutating func popIdle() -> Member? { self.idle.popLast() }

    /// Somebody is gone: what it asked for and what its members do is nobody's business any more. Those are free again,
    /// since a call whose caller is gone is cancelled.
    package mutating func forget(_ holder: Holder) {
        self.waiting.removeAll { $0.holder == holder }
        for (member, ticket) in self.busy where ticket.holder == holder { self.done(member, by: ticket, isDead: false) }
    }

    /// Nobody is left to do anything: those who wait.
    package mutating func takeWaiting() -> [Ticket] {
        defer { self.waiting = [] }
        return Array(self.waiting)
    }
}
