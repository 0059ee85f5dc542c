import DequeModule
package import Logging
import MeshCore
package import MeshRuntime

/// What a collecting actor keeps: the newest entries up to its limits, and the readers that follow them.
package struct Journal<Entry: Codable & Sendable> {
    /// At most so many entries are kept.
    package static var maximumCount: Int { 1_000_000 }
    /// How far publishers may be ahead of a reader.
    package static var readerLimit: Int { 1024 }

    private let maximumSize: Int
    private let logger: Logger
    private var kept: Deque<(entry: Entry, size: Int)> = []
    private var size = 0
    private var readers: [MeshStream<Entry>.Continuation] = []
    /// How many entries had to make room for newer ones.
    package private(set) var dropped: UInt64 = 0

    /// - Parameter maximumPayload: what one reply may carry; all that is kept fits into it.
    package init(maximumPayload: Int, logger: Logger) {
        self.maximumSize = maximumPayload / 2
        self.logger = logger
    }

    package var entries: [Entry] { self.kept.map(\.entry) }

    /// Takes all entries; the readers have them nevertheless.
    package mutating func drain() -> [Entry] {
        defer {
            self.kept = []
            self.size = 0
        }
        return self.entries
    }

    /// Keeps an entry and passes it to the readers.
    ///
    /// - Parameter text: how many bytes of text the entry has.
    /// - Returns: the readers that are behind by more than their limit; whoever added the entry is to wait for them.
    /// - Throws: `payloadTooLarge` when the entry alone is more than is kept.
    package mutating func add(_ entry: Entry, text: Int) throws -> [MeshStream<Entry>.Continuation] {
        // Room for the other fields, and more than their encoding takes.
        let size = text + 128
        guard size <= self.maximumSize else {
            throw MeshError(.payloadTooLarge, "A text of \(text) bytes is too large; the limit is \(self.maximumSize).")
        }
        self.makeRoom(for: size)
        self.kept.append((entry, size))
        self.size += size
        var hasEnded = false
        var crowded: [MeshStream<Entry>.Continuation] = []
        for reader in self.readers {
            if reader.push(entry) { crowded.append(reader) }
            hasEnded = hasEnded || reader.isTerminated
        }
        if hasEnded { self.readers.removeAll(where: \.isTerminated) }
        return crowded
    }

    private mutating func makeRoom(for size: Int) {
        while self.kept.count >= Self.maximumCount || self.size + size > self.maximumSize,
            let oldest = self.kept.popFirst()
        {
            self.size -= oldest.size
            self.dropped += 1
            if self.dropped & (self.dropped - 1) == 0 {
                self.logger.warning(
                    "a collector is full and drops its oldest entries; drain it more often",
                    metadata: ["mesh.collector.dropped": "\(self.dropped)"])
            }
        }
    }

    /// A stream of what is kept and of all that comes.
    package mutating func stream() -> MeshStream<Entry> {
        self.readers.removeAll(where: \.isTerminated)
        let (stream, continuation) = MeshStream.makeStream(
            bufferingLimit: Self.readerLimit, backlog: self.kept.lazy.map(\.entry))
        self.readers.append(continuation)
        return stream
    }
}

/// Waits for readers that are far behind, without keeping the actor from its other calls.
func waitForRoom<Entry>(_ crowded: [MeshStream<Entry>.Continuation]) async {
    guard !crowded.isEmpty else { return }
    MeshScope.releaseMailbox()
    for reader in crowded { await reader.waitForRoom() }
}
