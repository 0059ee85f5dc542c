package import MeshCore

/// What this process holds on behalf of others: the handles in messages whose receivers have not said yet that they
/// hold the actors themselves. A value; the pins are whatever keeps an actor held.
///
/// A pin goes when its receiver says so or is gone, or when the message was never sent. A link loses no message as long
/// as both processes live, so nothing is pinned for ever.
package struct Transits<Pin> {
    /// How many messages to one process may be unanswered. That many are only when the broker is away for long, since
    /// receivers who hold an actor already answer without it.
    package static var limit: Int { 1 << 16 }

    private var pins: [PeerID: [UInt64: [Pin]]] = [:]
    private var nextNumber: UInt64 = 1

    package init() {}

    /// Keeps the pins of a message; nil when there are too many that are unanswered.
    package mutating func add(_ pins: [Pin], to receiver: PeerID) -> UInt64? {
        guard self.pins[receiver]?.count ?? 0 < Self.limit else { return nil }
        defer { self.nextNumber += 1 }
        self.pins[receiver, default: [:]][self.nextNumber] = pins
        return self.nextNumber
    }

    /// The receiver holds what was in these messages. Others than it cannot say so, nor can it twice.
    ///
    /// - Returns: what need not be kept any more.
    package mutating func remove(_ numbers: some Sequence<UInt64>, to receiver: PeerID) -> [Pin] {
        guard var pins = self.pins.removeValue(forKey: receiver) else { return [] }
        let removed = numbers.flatMap { pins.removeValue(forKey: $0) ?? [] }
        if !pins.isEmpty { self.pins[receiver] = pins }
        return removed
    }

    /// The receiver is gone.
    package mutating func removeAll(to receiver: PeerID) -> [Pin] {
        self.pins.removeValue(forKey: receiver)?.values.flatMap { $0 } ?? []
    }

    /// This process leaves.
    package mutating func removeAll() -> [Pin] {
        defer { self.pins = [:] }
        return self.pins.values.flatMap { $0.values.flatMap { $0 } }
    }

    /// The processes that have not answered.
    package var receivers: Set<PeerID> { Set(self.pins.keys) }

    /// How many messages are unanswered.
    package var count: Int { self.pins.values.reduce(0) { $0 + $1.count } }
}

extension Transits: Sendable where Pin: Sendable {}
