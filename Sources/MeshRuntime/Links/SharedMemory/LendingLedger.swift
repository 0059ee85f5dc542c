/// Which pieces of shared memory a process has for one other, which of them are lent, and when to make or give up one.
/// A value without memory, sockets or clocks; times are nanoseconds of one clock.
///
/// A slot goes from offered to free once the other has mapped it, and with each large value from free over sending to lent
/// and back.
/// Values for which no slot is free travel by the socket, and so do those that come rarely.
struct LendingLedger: Sendable {
    /// How a large value travels.
    enum Placement: Hashable, Sendable {
        case slot(UInt64)
        /// By the socket; when a slot of so many bytes is to be made for those to come, it says so.
        case socket(making: Int?)
    }

    private struct Slot {
        var capacity: Int
        var state: State
        /// Since when it has been so.
        var since: UInt64
    }

    private enum State {
        /// Until the other has answered, however long that takes: it opens what the offer names, which must not be
        /// something else by then.
        case offered
        /// Until it is lent, or has been idle for long.
        case free
        /// Until the message with the value in it has its place in the link, however long that takes: the other must not
        /// hear before it that the slot is given up.
        case sending
        /// Until the other gives it back; one that keeps it for long keeps it for good.
        case lent
    }

    /// How many slots one process has for another.
    static let mostSlots = 16
    /// A larger value travels by the socket: whoever sends it would be held up by the copy.
    static let mostBytes = 32 << 20
    /// What was not used for so long is given back to the system.
    static let idleTime: UInt64 = 2_000_000_000
    /// What the other has kept for so long is its own from then on.
    static let patience: UInt64 = 5_000_000_000

    private var slots: [UInt64: Slot] = [:]
    /// When there was a large value last.
    private var lastUse: UInt64?
    private var isRefused = false

    /// The slots that the other has and may have given back.
    var lent: [UInt64] { self.slots.filter { $0.value.state == .lent }.map(\.key) }

    var isEmpty: Bool { self.slots.isEmpty }

    /// Decides how a value of so many bytes travels.
    ///
    /// - Returns: also the slots that are given up for one that fits.
    mutating func place(_ byteCount: Int, at now: UInt64) -> (Placement, givenUp: [UInt64]) {
        guard !self.isRefused, byteCount <= Self.mostBytes else { return (.socket(making: nil), []) }
        let isFirst = self.lastUse.map { now > $0 + Self.idleTime } ?? true
        self.lastUse = now
        let fitting = self.slots.filter { $0.value.state == .free && Self.fits($0.value, byteCount) }
        if let (number, slot) = fitting.min(by: { ($0.value.capacity, $0.key) < ($1.value.capacity, $1.key) }) {
            self.slots[number] = Slot(capacity: slot.capacity, state: .sending, since: now)
            return (.slot(number), [])
        }
        // A single one is not worth the memory. Those that are on their way to the other will do.
        let isExpected = self.slots.contains { $0.value.state == .offered && Self.fits($0.value, byteCount) }
        guard !isFirst, !isExpected else { return (.socket(making: nil), []) }
        var givenUp: [UInt64] = []
        if self.slots.count >= Self.mostSlots {
            let free = self.slots.filter { $0.value.state == .free }
            guard let oldest = free.min(by: { ($0.value.since, $0.key) < ($1.value.since, $1.key) }) else {
                return (.socket(making: nil), [])
            }
            self.slots[oldest.key] = nil
            givenUp = [oldest.key]
        }
        return (.socket(making: Self.capacity(for: byteCount)), givenUp)
    }

    /// Whether a value is to go through a slot: who keeps it keeps all of the slot, which must not be many times as large.
    private static func fits(_ slot: Slot, _ byteCount: Int) -> Bool {
        slot.capacity >= byteCount && slot.capacity <= 4 * self.capacity(for: byteCount)
    }

    /// The message with the value in a slot has its place in the link.
    mutating func sent(_ number: UInt64, at now: UInt64) {
        guard let slot = self.slots[number], slot.state == .sending else { return }
        self.slots[number] = Slot(capacity: slot.capacity, state: .lent, since: now)
    }

    /// A new slot was offered to the other.
    mutating func offer(_ number: UInt64, capacity: Int, at now: UInt64) {
        self.slots[number] = Slot(capacity: capacity, state: .offered, since: now)
    }

    /// The other has mapped a slot, or cannot: then it is offered no other.
    ///
    /// - Returns: the slots that are given up.
    mutating func answered(_ number: UInt64, isMapped: Bool, at now: UInt64) -> [UInt64] {
        guard let slot = self.slots[number], slot.state == .offered else { return [] }
        self.slots[number] = Slot(capacity: slot.capacity, state: .free, since: now)
        if !isMapped { self.isRefused = true }
        // Others may still be on their way.
        return self.isRefused ? self.remove { $0.state == .free || $0.state == .lent } : []
    }

    /// The other has given a slot back.
    mutating func returned(_ number: UInt64, at now: UInt64) {
        guard let slot = self.slots[number], slot.state == .lent else { return }
        self.slots[number] = Slot(capacity: slot.capacity, state: .free, since: now)
    }

    /// Gives up what has been idle or lent for too long.
    mutating func expire(at now: UInt64) -> [UInt64] {
        for (number, slot) in self.slots where slot.state == .sending { self.slots[number]?.since = now }
        return self.remove { slot in slot.state != .sending && Self.end(of: slot).map { now >= $0 } ?? false }
    }

    /// When to call `expire` again; nil when there is nothing to expire.
    var nextExpiry: UInt64? { self.slots.values.compactMap(Self.end).min() }

    private static func end(of slot: Slot) -> UInt64? {
        switch slot.state {
        case .offered: nil
        case .free, .sending: slot.since + self.idleTime
        case .lent: slot.since + self.patience
        }
    }

    /// Gives up all.
    mutating func removeAll() -> [UInt64] { self.remove { _ in true } }

    private mutating func remove(where isOver: (Slot) -> Bool) -> [UInt64] {
        let numbers = self.slots.filter { isOver($0.value) }.keys.sorted()
        for number in numbers { self.slots[number] = nil }
        return numbers
    }

    /// How large to make a slot for values of about that size: at most a quarter larger, so that values of nearly one
    /// size share slots.
    static func capacity(for byteCount: Int) -> Int {
        let least = 64 << 10
        guard byteCount > least else { return least }
        let step = (1 << (Int.bitWidth - 1 - (byteCount - 1).leadingZeroBitCount)) / 4
        return (byteCount + step - 1) / step * step
    }
}
