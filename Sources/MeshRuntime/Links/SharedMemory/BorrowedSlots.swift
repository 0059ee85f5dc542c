import FoundationEssentials
import MeshCore
import Synchronization

/// The shared memory of one other process that this one has mapped, to read the large values that it sends.
final class BorrowedSlots: Sendable {
    private let slots = Mutex<[UInt64: SharedSlot]>([:])
    /// More than an honest process offers, since it may give up some before this one has read that.
    private static let most = 2 * LendingLedger.mostSlots

    /// Maps a slot that the other offers.
    ///
    /// - Returns: false when that is not possible.
    /// - Throws: `WireError` when it is no slot, or there are too many.
    func map(
        _ number: UInt64, capacity: Int, of maker: PeerAddress, descriptor: Int32, for own: PeerID
    ) throws(WireError) -> Bool {
        try self.slots.withLock { slots throws(WireError) in
            guard slots.count < Self.most, slots[number] == nil else {
                throw WireError("a slot of shared memory too many")
            }
            slots[number] = try SharedSlot(
                number, capacity: capacity, madeBy: maker, descriptor: descriptor, for: own)
            return slots[number] != nil
        }
    }

    /// A value in a slot, in place.
    func value(in number: UInt64, count: Int) throws(WireError) -> Data {
        guard let slot = self.slots.withLock({ $0[number] }), (0...slot.capacity).contains(count) else {
            throw WireError("\(count) bytes that are in no slot of shared memory")
        }
        return slot.borrow(count)
    }

    /// The other does not use a slot any more; values in it stay for as long as somebody has them.
    func forget(_ number: UInt64) { self.slots.withLock { $0[number] = nil } }

    func forgetAll() { self.slots.withLock { $0 = [:] } }

    /// How many are mapped.
    var count: Int { self.slots.withLock { $0.count } }
}

/// The large values of a message that has arrived, in the order of the envelopes to which they belong.
struct IncomingValues {
    private var frames: ArraySlice<Data>
    /// Those of the next envelope that are in shared memory, and their places among its values.
    private var loans: [(index: Int, data: Data)] = []

    init(frames: [Data]) { self.frames = frames[...] }

    /// A value of the next envelope is in shared memory. They come in the order of their places.
    mutating func add(_ data: Data, at index: Int) throws(WireError) {
        guard index > self.loans.last?.index ?? -1, self.loans.count < LendingLedger.mostSlots else {
            throw WireError("a value in shared memory at a wrong place")
        }
        self.loans.append((index, data))
    }

    /// The values of an envelope.
    mutating func take(_ count: Int) throws(WireError) -> [Data] {
        guard !self.loans.isEmpty else { return try self.takeFrames(count) }
        defer { self.loans = [] }
        guard self.loans.count <= count, self.loans.allSatisfy({ $0.index < count }) else {
            throw WireError("values in shared memory that belong to no envelope")
        }
        var values = try self.takeFrames(count - self.loans.count)
        for loan in self.loans { values.insert(loan.data, at: loan.index) }
        return values
    }

    /// Looks whether all values in shared memory had an envelope.
    func finish() throws(WireError) {
        guard self.loans.isEmpty else { throw WireError("values in shared memory that belong to no envelope") }
    }

    private mutating func takeFrames(_ count: Int) throws(WireError) -> [Data] {
        guard count <= self.frames.count else { throw WireError("frames are missing") }
        guard count > 0 else { return [] }
        defer { self.frames = self.frames.dropFirst(count) }
        return Array(self.frames.prefix(count))
    }
}
