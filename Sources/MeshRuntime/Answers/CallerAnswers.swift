import DequeModule
import FoundationEssentials
import MeshCore

/// What an actor remembers of the calls of one caller; see ``RememberedAnswers``.
struct CallerAnswers: Sendable {
    private struct Entry: Sendable {
        var sequence: UInt64
        /// Nil while it is open.
        var answer: CallAnswer?
        /// The answer as it is stored, if it is.
        var stored = Data()
        /// The call as it came first and as it came last, while it is open.
        var first: InboundCall?
        var latest: InboundCall?
    }

    /// So many answers, and about how many bytes they take.
    struct Size {
        var answers = 0
        var bytes = 0
    }

    /// What has a lower number, and is not open, has come before and is forgotten.
    private(set) var floor: UInt64 = 0
    /// By rising sequence.
    private var entries: Deque<Entry> = []
    private var openCount = 0
    /// When it was last heard of.
    private(set) var lastUse: UInt64 = 0
    /// Since when it is gone, or has not been heard of by this life of the actor.
    var goneSince: UInt64?

    /// Nothing has come yet.
    init() {}

    /// - Parameter answers: in any order.
    init(floor: UInt64, answers: [(sequence: UInt64, answer: CallAnswer, stored: Data)]) {
        self.floor = floor
        self.entries = Deque(
            answers.sorted { $0.sequence < $1.sequence }.map {
                Entry(sequence: $0.sequence, answer: $0.answer, stored: $0.stored)
            })
    }

    /// Whether a call of it waits or runs.
    var hasOpen: Bool { self.openCount > 0 }

    /// The numbers of the calls whose answers it has, in order.
    var sequences: [UInt64] { self.entries.compactMap { $0.answer == nil ? nil : $0.sequence } }

    /// All its answers, as they are stored.
    var stored: Data { self.entries.reduce(into: Data()) { $0.append($1.stored) } }

    /// How many calls are open that have come more than once.
    var repeatedCount: Int { self.entries.count { $0.answer == nil && $0.first !== $0.latest } }

    /// What all its answers amount to.
    var total: Size {
        self.entries.reduce(into: Size()) { size, entry in
            guard let answer = entry.answer else { return }
            size.answers += 1
            size.bytes += answer.byteCount
        }
    }

    /// Notes that it was heard of. Returns whether it had been thought gone.
    mutating func hasComeBack(now: UInt64) -> Bool {
        self.lastUse = now
        defer { self.goneSince = nil }
        return self.goneSince != nil
    }

    /// Forgets answers with lower numbers. Returns what they amounted to.
    mutating func raiseFloor(to floor: UInt64) -> Size {
        var size = Size()
        guard floor > self.floor else { return size }
        self.floor = floor
        // One that is open may stand in front: the caller has given it up, but it still waits or runs.
        var index = 0
        while index < self.entries.count, self.entries[index].sequence < floor {
            if let answer = self.entries[index].answer {
                size.answers += 1
                size.bytes += answer.byteCount
                self.entries.remove(at: index)
            } else {
                index += 1
            }
        }
        return size
    }

    mutating func arrive(_ call: InboundCall) -> RememberedAnswers.Arrival {
        let (index, isThere) = self.position(of: call.sequence)
        guard isThere else {
            guard call.sequence >= self.floor else { return .forgotten }
            self.entries.insert(Entry(sequence: call.sequence, answer: nil, first: call, latest: call), at: index)
            self.openCount += 1
            return .new
        }
        if let answer = self.entries[index].answer { return .answered(answer) }
        self.entries[index].latest = call
        return .open
    }

    /// Ends an open call. Returns who asked last, and whether the answer is kept: not if the caller has given it up.
    mutating func conclude(
        _ sequence: UInt64, with answer: CallAnswer, stored: Data
    ) -> (latest: InboundCall?, isKept: Bool)? {
        let (index, isThere) = self.position(of: sequence)
        guard isThere, self.entries[index].answer == nil else { return nil }
        self.openCount -= 1
        let latest = self.entries[index].latest
        guard sequence >= self.floor else {
            self.entries.remove(at: index)
            return (latest, false)
        }
        self.entries[index] = Entry(sequence: sequence, answer: answer, stored: stored)
        return (latest, true)
    }

    mutating func drop(_ sequence: UInt64) {
        let (index, isThere) = self.position(of: sequence)
        guard isThere, self.entries[index].answer == nil else { return }
        self.entries.remove(at: index)
        self.openCount -= 1
    }

    /// Drops an answer for want of room.
    mutating func forget(_ sequence: UInt64) -> Size {
        let (index, isThere) = self.position(of: sequence)
        guard isThere, let answer = self.entries[index].answer else { return Size() }
        self.entries.remove(at: index)
        self.floor = max(self.floor, sequence + 1)
        return Size(answers: 1, bytes: answer.byteCount)
    }

    func hasAnswer(_ sequence: UInt64) -> Bool {
        let (index, isThere) = self.position(of: sequence)
        return isThere && self.entries[index].answer != nil
    }

    func asker(of sequence: UInt64) -> InboundCall? {
        let (index, isThere) = self.position(of: sequence)
        return isThere ? self.entries[index].latest : nil
    }

    func original(of key: CallKey) -> CallKey? {
        self.entries.first { $0.answer == nil && $0.latest?.key == key }?.first?.key
    }

    /// Where an entry is, or would be.
    private func position(of sequence: UInt64) -> (index: Int, isThere: Bool) {
        // Most are the newest.
        guard let last = self.entries.last, last.sequence >= sequence else { return (self.entries.count, false) }
        var (low, high) = (0, self.entries.count)
        while low < high {
            let middle = (low + high) / 2
            if self.entries[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        return (low, low < self.entries.count && self.entries[low].sequence == sequence)
    }
}
