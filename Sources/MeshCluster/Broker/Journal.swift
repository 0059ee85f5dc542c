import MeshCore
import MeshRuntime

/// What a broker with a store has not written yet, and who waits for that. A value; the broker does the writing.
///
/// One write is under way at a time. What changes meanwhile goes into the next one, all of it together, so that many
/// callers share the wait for the disk.
struct Journal: Sendable {
    typealias Waiter = UnsafeContinuation<Result<Void, MeshError>, Never>

    /// What one write has to bring to the disk, and what follows from it.
    struct Batch: Sendable {
        /// The actors that have changed; what is written of them is what is known when the write begins.
        var changed: Set<UniqueID> = []
        /// What must not be done before.
        var effects: [Effect] = []
        var waiters: [Waiter] = []

        var isEmpty: Bool { self.changed.isEmpty && self.effects.isEmpty && self.waiters.isEmpty }
    }

    private(set) var next = Batch()
    /// Whether what `begin` returned last has not ended yet.
    private(set) var isWriting = false
    /// The actors that are being written.
    private var writing: Set<UniqueID> = []
    /// Who came while everything that had happened was being written.
    private var late: [Waiter] = []
    /// Why the last write failed; nil when it did not.
    private(set) var failure: MeshError?

    /// Adds what has happened.
    ///
    /// - Returns: what may be done at once.
    mutating func add(_ changed: Set<UniqueID>, _ effects: [Effect]) -> [Effect] {
        self.next.changed.formUnion(changed)
        // With nothing to write and nothing that is being written, nothing has to wait.
        guard self.isBehind else { return effects }
        self.next.effects += effects.filter(\.waitsForStore)
        return effects.filter { !$0.waitsForStore }
    }

    /// Whether something is not written that has happened.
    var isBehind: Bool { self.isWriting || !self.next.changed.isEmpty || !self.next.effects.isEmpty }

    /// Whether something about an actor is not written.
    func isPending(_ actor: UniqueID) -> Bool { self.next.changed.contains(actor) || self.writing.contains(actor) }

    /// Whether a write is to begin. What failed is tried again when something new is to be written, or when it is due.
    var canBegin: Bool { !self.isWriting && !self.next.isEmpty }

    /// Adds somebody who waits until everything that has happened is written.
    mutating func wait(_ waiter: Waiter) {
        if self.isWriting, self.next.changed.isEmpty {
            self.late.append(waiter)
        } else {
            self.next.waiters.append(waiter)
        }
    }

    /// Begins a write of everything that is not written.
    mutating func begin() -> Batch {
        defer { self.next = Batch() }
        self.isWriting = true
        self.writing = self.next.changed
        return self.next
    }

    /// A write has ended. What failed is to be written again, before what came later.
    ///
    /// - Returns: those who have waited for it.
    mutating func end(_ batch: Batch, _ failure: MeshError?) -> [Waiter] {
        defer { self.late = [] }
        self.isWriting = false
        self.writing = []
        self.failure = failure
        if failure != nil {
            self.next.changed.formUnion(batch.changed)
            self.next.effects = batch.effects + self.next.effects
        }
        return batch.waiters + self.late
    }
}

extension Effect {
    /// Whether this must not run ahead of the change from which it follows.
    ///
    /// A life that began and was forgotten would be there twice, under one number: starts wait. Nobody is told, or
    /// decides, what may turn out never to have been: so do events and questions. An end that was forgotten is a death
    /// like any other, and what cannot be written must still be ended: the rest does not wait.
    var waitsForStore: Bool {
        switch self {
        case .start, .ask, .event: true
        // Those who wait look again, and answer only what is stored.
        case .changed, .end, .awaitIdle, .reclaim, .objectsFree: false
        }
    }
}
