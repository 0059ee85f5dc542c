import CMeshPlatform
import FoundationEssentials
import MeshCore
import Synchronization

/// What one process has in shared memory for all others: how much, and the number of the last slot.
final class SharedMemoryBudget: Sendable {
    private let limit: Int
    private let bytes = Atomic<Int>(0)
    private let lastNumber = Atomic<UInt64>(0)
    private let uses = Atomic<UInt64>(0)

    init(limit: Int) { self.limit = limit }

    var used: Int { self.bytes.load(ordering: .relaxed) }

    /// Returns whether there was room.
    func take(_ count: Int) -> Bool {
        let after = self.bytes.add(count, ordering: .relaxed).newValue
        if after <= self.limit { return true }
        self.giveBack(count)
        return false
    }

    func giveBack(_ count: Int) { self.bytes.subtract(count, ordering: .relaxed) }

    /// A value goes through it.
    func noteUse() { self.uses.add(1, ordering: .relaxed) }

    /// How many values have gone through it, for tests.
    var useCount: UInt64 { self.uses.load(ordering: .relaxed) }

    func nextNumber() -> UInt64 { self.lastNumber.add(1, ordering: .relaxed).newValue }
}

/// The large values of one envelope on their way out: those that go as frames, and what is said of the others before
/// the envelope.
struct OutgoingValues {
    var frames: [Data] = []
    var notes: [SlotNote] = []

    static let none = OutgoingValues()

    var isEmpty: Bool { self.frames.isEmpty && self.notes.isEmpty }

    func writeNotes(to buffer: WireBuffer) { for note in self.notes { buffer.writeSlot(note) } }
}

/// The shared memory that this process has for one other: made when large values come one after the other, given back
/// when they do not.
final class LentSlots: Sendable {
    private struct State {
        var ledger = LendingLedger()
        var slots: [UInt64: SharedSlot] = [:]
        /// Slots that the other has not been told of that they are gone.
        var givenUp: [UInt64] = []
        /// Whether the other has said that it can read shared memory.
        var isAllowed = false
        var hasEnded = false
    }

    private let state = Mutex(State())
    private let own: PeerID
    private let other: PeerID
    private let budget: SharedMemoryBudget

    init(of own: PeerID, for other: PeerID, _ budget: SharedMemoryBudget) {
        self.own = own
        self.other = other
        self.budget = budget
    }

    /// The other says that it can read shared memory.
    func allow() { self.state.withLock { $0.isAllowed = true } }

    /// How many slots there are.
    var count: Int { self.state.withLock { $0.slots.count } }

    /// Decides how large values travel, and copies those that go through shared memory.
    @inline(__always)
    func carry(_ attachments: [Data]) -> OutgoingValues { attachments.isEmpty ? .none : self.carryLarge(attachments) }

    private func carryLarge(_ attachments: [Data]) -> OutgoingValues {
        guard self.state.withLock({ $0.isAllowed && !$0.hasEnded }) else { return OutgoingValues(frames: attachments) }
        let now = cmesh_monotonic_nanoseconds()
        var values = OutgoingValues()
        var loans: [SlotNote] = []
        for (index, data) in attachments.enumerated() {
            switch self.place(data.count, at: now) {
            case .slot(let number, let slot):
                // Outside of the lock: it is the largest part of the work.
                slot.write(data)
                self.budget.noteUse()
                loans.append(.lent(number, count: data.count, index: index))
            case .socket(let capacity):
                values.frames.append(data)
                if let capacity, let offer = self.make(capacity, at: now) { values.notes.append(offer) }
            }
        }
        values.notes += self.takeGivenUp() + loans
        return values
    }

    /// What was carried has its place in the link.
    func sent(_ values: OutgoingValues) {
        let numbers = values.notes.compactMap { if case .lent(let number, _, _) = $0 { number } else { nil } }
        guard !numbers.isEmpty else { return }
        let now = cmesh_monotonic_nanoseconds()
        self.state.withLock { state in
            for number in numbers { state.ledger.sent(number, at: now) }
        }
    }

    private enum Place {
        case slot(UInt64, SharedSlot)
        case socket(making: Int?)
    }

    private func place(_ count: Int, at now: UInt64) -> Place {
        self.state.withLock { state in
            Self.collect(&state, at: now)
            let (placement, givenUp) = state.ledger.place(count, at: now)
            self.drop(givenUp, &state)
            switch placement {
            case .slot(let number):
                guard let slot = state.slots[number] else { return .socket(making: nil) }
                // Under the lock, or somebody else would take it for one that has been given back.
                slot.lend()
                return .slot(number, slot)
            case .socket(let capacity): return .socket(making: capacity)
            }
        }
    }

    /// Notes what the other has given back.
    private static func collect(_ state: inout State, at now: UInt64) {
        for number in state.ledger.lent where state.slots[number]?.isFree == true {
            state.ledger.returned(number, at: now)
        }
    }

    private func make(_ capacity: Int, at now: UInt64) -> SlotNote? {
        guard self.budget.take(capacity) else { return nil }
        let number = self.budget.nextNumber()
        guard let slot = SharedSlot(making: number, capacity: capacity, by: self.own, for: self.other) else {
            self.budget.giveBack(capacity)
            return nil
        }
        return self.state.withLock { state in
            // Others may have made some in the meantime.
            guard !state.hasEnded, state.slots.count < LendingLedger.mostSlots else {
                self.budget.giveBack(capacity)
                return nil
            }
            state.slots[number] = slot
            state.ledger.offer(number, capacity: capacity, at: now)
            return .offer(number, descriptor: slot.descriptor, capacity: capacity)
        }
    }

    /// Gives slots up. Whoever still reads in one has a mapping of its own.
    private func drop(_ numbers: [UInt64], _ state: inout State) {
        for number in numbers {
            guard let slot = state.slots.removeValue(forKey: number) else { continue }
            self.budget.giveBack(slot.capacity)
            state.givenUp.append(number)
        }
    }

    private func takeGivenUp() -> [SlotNote] {
        self.state.withLock { state in
            defer { state.givenUp = [] }
            return state.givenUp.map(SlotNote.givenUp)
        }
    }

    /// The other has mapped a slot, or cannot.
    func answered(_ number: UInt64, isMapped: Bool) {
        self.state.withLock { state in
            self.drop(
                state.ledger.answered(number, isMapped: isMapped, at: cmesh_monotonic_nanoseconds()), &state)
        }
    }

    /// Gives back what is not used.
    ///
    /// - Returns: what to tell the other, and when to come back; nil for not at all.
    func tick(now: UInt64) -> (notes: [SlotNote], next: UInt64?) {
        self.state.withLock { state in
            guard !state.slots.isEmpty || !state.givenUp.isEmpty else { return ([], nil) }
            Self.collect(&state, at: now)
            self.drop(state.ledger.expire(at: now), &state)
            defer { state.givenUp = [] }
            return (state.givenUp.map(SlotNote.givenUp), state.ledger.nextExpiry)
        }
    }

    /// The other is gone, or will not answer any more.
    func end() {
        self.state.withLock { state in
            state.hasEnded = true
            self.drop(state.ledger.removeAll(), &state)
            state.givenUp = []
        }
    }
}
