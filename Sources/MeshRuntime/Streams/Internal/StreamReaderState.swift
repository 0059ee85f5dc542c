import DequeModule
package import MeshCore

/// What a reader has received and not given out, and what it asks for next. A value without clocks or tasks.
package struct StreamReaderState<Element: Sendable>: Sendable {
    /// How many elements the writer may be ahead; half of them taken is worth telling.
    package let window: Int
    private var ready: Deque<Element> = []
    /// The number of the next element that is given out.
    package private(set) var next: UInt64 = 0
    /// Elements before `next` that the writer skipped.
    private var missed: UInt64 = 0
    private var acknowledged: UInt64 = 0
    private var acknowledgedAt: UInt64 = 0
    private var end: StreamEnd?
    private var isFetching = false

    /// A reader that has taken something tells so after this time at the latest, if it comes back at all.
    private static var acknowledgementInterval: UInt64 { 500_000_000 }

    package init(window: Int) { self.window = min(max(1, window), 1 << 30) }

    package enum Step: Sendable {
        /// Give this out, and if there is a number, tell the writer that all before it are taken.
        case give(StreamItem<Element>, acknowledge: UInt64?)
        /// Ask the writer for what comes from `next` on.
        case fetch
        /// Nothing comes any more.
        case end
        case fail(any Error)
        /// Another task waits for the next element.
        case busy
    }

    /// What the reader does to get an element.
    package mutating func step(now: UInt64) -> Step {
        if self.missed > 0 {
            defer { self.missed = 0 }
            return .give(.missed(Int(clamping: self.missed)), acknowledge: nil)
        }
        if let element = self.ready.popFirst() {
            self.next += 1
            return .give(.element(element), acknowledge: self.acknowledgement(now: now))
        }
        if let error = self.end?.error {
            self.end = .finished
            return .fail(error)
        }
        if self.end != nil { return .end }
        if self.isFetching { return .busy }
        self.isFetching = true
        return .fetch
    }

    private mutating func acknowledgement(now: UInt64) -> UInt64? {
        // The next question acknowledges what has been taken, too.
        guard !self.ready.isEmpty else { return nil }
        guard
            self.next - self.acknowledged >= UInt64((self.window + 1) / 2)
                || now > self.acknowledgedAt + Self.acknowledgementInterval
        else { return nil }
        self.acknowledged = self.next
        self.acknowledgedAt = now
        return self.next
    }

    /// Takes the answer to a question.
    ///
    /// - Throws: `decodingFailed` when it is not what was asked for.
    package mutating func receive(_ batch: StreamBatch<Element>, now: UInt64) throws(MeshError) {
        self.isFetching = false
        guard batch.first >= self.next, batch.first <= UInt64.max / 2 else {
            self.end = .finished
            throw MeshError(.decodingFailed, "A stream went from element \(self.next) to \(batch.first).")
        }
        self.missed += batch.first - self.next
        self.acknowledged = self.next
        self.acknowledgedAt = now
        self.next = batch.first
        self.ready.append(contentsOf: batch.elements)
        self.end = batch.end
    }

    /// The question failed. It can be asked again, unless the failure is final.
    package mutating func fetchFailed(isFinal: Bool) {
        self.isFetching = false
        if isFinal { self.end = .finished }
    }

    /// Whether anything has been asked for.
    package var hasBegun: Bool {
        self.isFetching || self.next > 0 || self.missed > 0 || !self.ready.isEmpty || self.end != nil
    }
}
