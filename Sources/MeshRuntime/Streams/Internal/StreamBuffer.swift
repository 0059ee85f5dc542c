package import DequeModule
package import MeshCore

/// The elements of a stream that its reader has not taken yet, and the writers that wait for room. A value without
/// clocks or tasks: whoever has it says what time it is.
///
/// Elements count from 0. A reader names the element that it wants next, which acknowledges all before it; only then
/// are those forgotten, so that a reader whose question or answer was lost asks again and gets the same.
package struct StreamBuffer<Element: Sendable>: Sendable {
    /// A writer that waits for room: with its element, or behind one that is in the buffer already.
    private struct Waiter: Sendable {
        var number: UInt64
        var element: Element?
        var since: UInt64
    }

    package let limit: Int
    package let skipsOldest: Bool
    package private(set) var elements: Deque<Element>
    /// The number of the first element that is here.
    package private(set) var first: UInt64 = 0
    private var waiters: Deque<Waiter> = []
    package private(set) var end: StreamEnd?
    /// When the reader last asked for something or took something.
    package private(set) var lastProgress: UInt64 = 0

    /// - Parameter backlog: elements that are there from the start, for which the limit is raised.
    package init(limit: Int, skipsOldest: Bool, backlog: some Sequence<Element>) {
        self.elements = Deque(backlog)
        self.limit = max(1, limit) + self.elements.count
        self.skipsOldest = skipsOldest
    }

    /// The number of the next element that is written.
    package var next: UInt64 { self.first + UInt64(self.elements.count) }

    // MARK: Writing

    package enum Offer: Sendable {
        case accepted
        case full
        case ended
    }

    /// Takes an element if there is room and no writer waits for it.
    package mutating func offer(_ element: Element) -> Offer {
        if self.end != nil { return .ended }
        if self.skipsOldest {
            self.push(element)
            return .accepted
        }
        guard self.waiters.isEmpty, self.elements.count < self.limit else { return .full }
        self.elements.append(element)
        return .accepted
    }

    /// Takes an element also when there is no room. Its writer is to wait afterwards, as long as it `isCrowded`.
    package mutating func push(_ element: Element) {
        guard self.end == nil else { return }
        if self.skipsOldest, self.elements.count >= self.limit {
            self.elements.removeFirst()
            self.first += 1
        }
        self.elements.append(element)
    }

    /// Whether more is here than the limit allows.
    package var isCrowded: Bool { self.end == nil && self.elements.count > self.limit }

    /// Adds a writer to those who wait for room.
    package mutating func wait(_ number: UInt64, with element: Element?, now: UInt64) {
        self.waiters.append(Waiter(number: number, element: element, since: now))
    }

    /// Forgets a writer that waits no more. Returns false when it does not wait.
    package mutating func removeWaiter(_ number: UInt64) -> Bool {
        guard let index = self.waiters.firstIndex(where: { $0.number == number }) else { return false }
        self.waiters.remove(at: index)
        return true
    }

    // MARK: Reading

    /// Notes that the reader has everything before `number`. Returns the writers for whom there is room now.
    package mutating func acknowledge(upTo number: UInt64, now: UInt64) -> [UInt64] {
        self.lastProgress = now
        let count = Int(min(number, self.next)) - Int(min(self.first, number))
        guard count > 0 else { return [] }
        self.elements.removeFirst(count)
        self.first += UInt64(count)
        var granted: [UInt64] = []
        while let waiter = self.waiters.first {
            guard self.elements.count < self.limit + (waiter.element == nil ? 1 : 0) else { break }
            if let element = waiter.element { self.elements.append(element) }
            granted.append(waiter.number)
            self.waiters.removeFirst()
        }
        return granted
    }

    /// What there is from an element on, at most so many; nil when nothing is there yet.
    package func batch(from number: UInt64, limit: Int) -> StreamBatch<Element>? {
        if let end, end.isAbrupt {
            return StreamBatch(first: number, elements: [], end: end.missing(from: number, upTo: self.next))
        }
        let start = max(number, self.first)
        guard start < self.next else { return self.end.map { StreamBatch(first: start, elements: [], end: $0) } }
        let offset = Int(start - self.first)
        let count = min(max(1, limit), self.elements.count - offset)
        let isLast = offset + count == self.elements.count
        return StreamBatch(
            first: start, elements: Array(self.elements[offset..<offset + count]), end: isLast ? self.end : nil)
    }

    // MARK: The end

    /// Ends the stream, the first time. An abrupt end forgets what the reader has not taken. Returns the writers that
    /// wait in vain, nil when the stream had ended before.
    package mutating func finish(_ end: StreamEnd) -> [UInt64]? {
        if let earlier = self.end {
            // A reader that goes after the writer has finished leaves nothing to keep.
            if end.isAbrupt, !earlier.isAbrupt { self.forgetElements() }
            return nil
        }
        defer { self.waiters = [] }
        self.end = end
        if end.isAbrupt { self.forgetElements() }
        return self.waiters.map(\.number)
    }

    private mutating func forgetElements() {
        // The count stays, so that the reader can be told what it missed.
        self.first = self.next
        self.elements = []
    }

    // MARK: Time

    /// Since when a writer has been waiting for a reader that does nothing; nil when none waits.
    package var stalledSince: UInt64? { self.waiters.first.map { max($0.since, self.lastProgress) } }
}

/// Elements on their way to the reader.
package struct StreamBatch<Element: Sendable>: Sendable {
    /// The number of the first element, or of the one that comes next when there is none.
    package var first: UInt64
    package var elements: [Element]
    /// Set when nothing comes after these.
    package var end: StreamEnd?

    package init(first: UInt64, elements: [Element], end: StreamEnd?) {
        self.first = first
        self.elements = elements
        self.end = end
    }
}

/// How a stream ended.
package struct StreamEnd: Sendable {
    /// What the reader's iteration throws; nil when the writer finished the stream.
    package var error: (any Error)?
    /// Why the reader is gone, as the writer learns it; nil when the writer finished the stream itself.
    package var reason: MeshError?
    /// Whether the reader gets nothing of what is left.
    package var isAbrupt = false
    /// Whether the reader was cut off, and is told how much it missed.
    package var isCutOff = false

    package static var finished: StreamEnd { StreamEnd(error: nil, reason: nil) }

    package static func failed(_ error: any Error) -> StreamEnd { StreamEnd(error: error, reason: nil) }

    /// The reader is gone, or is given up.
    package static func lost(_ reason: MeshError) -> StreamEnd {
        StreamEnd(error: reason, reason: reason, isAbrupt: true)
    }

    package static func cutOff(after nanoseconds: UInt64) -> StreamEnd {
        let reason = MeshError(
            .slowConsumer,
            "The reader took nothing for \(Double(nanoseconds) / 1e9) s while its writer waited, and was cut off.")
        return StreamEnd(error: reason, reason: reason, isAbrupt: true, isCutOff: true)
    }

    fileprivate func missing(from number: UInt64, upTo next: UInt64) -> StreamEnd {
        guard self.isCutOff, let reason else { return self }
        let missed = next > number ? next - number : 0
        var end = self
        end.error = MeshError(
            reason.code,
            "\(reason.message) It missed \(missed) elements and all that were written since. "
                + "Read faster, allow a longer wait, or ask for a stream that skips the oldest.")
        return end
    }
}
