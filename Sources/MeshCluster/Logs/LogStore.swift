package import FoundationEssentials
import Glibc
package import MeshCore
package import MeshRuntime

/// Everything that was collected, up to a size and an age: in files that survive the process, or in memory. Not for
/// several threads.
///
/// Each batch is kept once, whoever sends it how often. Batches have places, by which readers go on where they were;
/// those of what had to go are not used again.
package struct LogStore {
    /// How much is kept.
    package struct Limits: Hashable, Sendable {
        /// In bytes.
        package var size: Int
        /// In nanoseconds.
        package var age: UInt64

        package init(size: Int, age: UInt64) {
            self.size = size
            self.age = age
        }
    }

    /// Names it for ever: places are good for one store only.
    package private(set) var id = UniqueID.make()
    private let limits: Limits
    private let directory: String?
    private var segments: [LogSegment] = []
    /// How many records are missing in what came since this process has it: they had to make room before they came.
    private var dropped: UInt64 = 0
    /// The last batch of each spool.
    private var spools: [UniqueID: UInt64] = [:]

    /// One in memory.
    package init(limits: Limits) {
        self.limits = limits
        self.directory = nil
        self.segments = [LogSegment(first: 1)]
    }

    /// Goes on with what is in a folder, which is there and nobody else's.
    ///
    /// - Throws: `systemFailure` when the files cannot be opened.
    package init(directory: String, limits: Limits) throws {
        self.limits = limits
        self.directory = directory
        let identity = "\(directory)/identity"
        if let text = FileManager.default.contents(atPath: identity).map({ String(decoding: $0, as: UTF8.self) }),
            let id = UniqueID(text)
        {
            self.id = id
        } else {
            try Data("\(self.id)".utf8).write(to: URL(filePath: identity))
        }
        let numbers = try FileManager.default.contentsOfDirectory(atPath: directory).compactMap(Self.parse).sorted()
        for number in numbers {
            let before = self.segments.last?.recordsSoFar ?? 0
            let segment = try LogSegment(first: number, path: Self.path(directory, number), recordsBefore: before)
            // What a damaged file had more does not give its places to another.
            self.segments.append(segment)
            self.spools.merge(segment.index.spools) { max($0, $1) }
        }
        if self.segments.isEmpty {
            self.segments = [try LogSegment(first: 1, path: Self.path(directory, 1), recordsBefore: 0)]
        }
    }

    private static func path(_ directory: String, _ number: UInt64) -> String {
        "\(directory)/\(hexadecimal(number)).logs"
    }

    private static func parse(_ name: String) -> UInt64? {
        guard name.hasSuffix(".logs") else { return nil }
        return UInt64(name.dropLast(".logs".count), radix: 16)
    }

    private var segmentSize: Int { min(64 << 20, max(64 << 10, self.limits.size / 8)) }

    /// The place of the next batch.
    package var next: UInt64 { self.segments.last?.next ?? 1 }

    /// The place of the oldest batch.
    package var first: UInt64 { self.segments.first?.first ?? 1 }

    /// How many records were removed, of all that there ever were.
    package var removed: UInt64 { self.segments.first?.index.recordsBefore ?? 0 }

    /// How many records there ever were.
    package var recordsSoFar: UInt64 { self.segments.last?.recordsSoFar ?? 0 }

    /// How many bytes it has.
    package var size: Int { self.segments.reduce(0) { $0 + $1.file.size } }

    /// How much it has, and how much never came.
    package var usage: LogUsage {
        LogUsage(
            records: self.segments.reduce(0) { $0 + $1.index.records }, bytes: UInt64(self.size), dropped: self.dropped)
    }

    /// The last batch of a spool that is here, or was.
    package func last(of spool: UniqueID) -> UInt64 { self.spools[spool] ?? 0 }

    // MARK: Writing

    /// Keeps a batch, unless it is here already. When this returns it survives the end of this process if the store is
    /// in files.
    ///
    /// - Throws: `WireError` when it is none; `systemFailure` when it cannot be written.
    package mutating func append(_ bytes: Data, from spool: UniqueID) throws {
        let batch = try LogBatch(reading: bytes)
        guard batch.number > self.last(of: spool) else { return }
        // Before anything of it is written.
        var missing: UInt64 = 0
        // What a driver says can be any number.
        try batch.forEachSketch { sketch, _, _, _ in if sketch.kind == .gap { missing &+= sketch.dropped } }
        try self.makeRoom()
        try self.segments[self.segments.count - 1].append(batch, from: spool, bytes)
        self.spools[spool] = batch.number
        self.dropped &+= missing
    }

    private mutating func makeRoom() throws {
        guard let last = self.segments.last, last.file.size >= self.segmentSize else { return }
        last.seal()
        let segment =
            if let directory {
                try LogSegment(
                    first: last.next, path: Self.path(directory, last.next), recordsBefore: last.recordsSoFar)
            } else {
                LogSegment(first: last.next, recordsBefore: last.recordsSoFar)
            }
        self.segments.append(segment)
        self.removeOld(at: LogOutlet.now())
    }

    /// Removes what is too much or too old.
    package mutating func removeOld(at now: UInt64) {
        while self.segments.count > 1, let first = self.segments.first {
            let isOld = first.index.latest < now - min(now, self.limits.age)
            guard isOld || self.size > self.limits.size else { return }
            first.remove()
            self.segments.removeFirst()
        }
    }

    /// The file that is being written, to be synchronised with the disk.
    package var openFile: FrameFile? { self.segments.last?.file }

    // MARK: Reading

    /// What was found, and how far was looked.
    package struct Found {
        /// Batches of records that are wanted.
        package var batches: [Data] = []
        package var count = 0
        package var size = 0
        /// Where to go on.
        package var place: UInt64
        /// How many records there were before that place, when the place is the end of what was read forwards.
        package var records: UInt64 = 0
        /// How many bytes were looked at.
        var scanned = 0
    }

    /// No more is looked at for one answer, so that nobody else waits for long.
    static let mostScanned = 4 << 20
    /// No more is given in one answer.
    static let mostFound = 1 << 20

    /// What is wanted of the batches from a place on.
    package func read(_ query: LogQuery, from place: UInt64) throws -> Found {
        var found = Found(place: max(place, self.first), records: self.recordsSoFar)
        for segment in self.segments where segment.next > found.place {
            found.place = max(found.place, segment.first)
            found.records = segment.index.recordsBefore
            let search = LogSearch(query, in: segment.index.names)
            var first = segment.first
            for stretch in segment.index.stretches {
                let end = first + UInt64(stretch.count)
                defer { first = end }
                found.records += UInt64(stretch.records)
                guard end > found.place else { continue }
                if search.mayMatch(stretch) { try self.scan(segment, stretch, first, query, &found) }
                found.place = end
                guard found.scanned < Self.mostScanned, found.size < Self.mostFound else { return found }
            }
        }
        return found
    }

    /// The newest that is wanted of the batches before a place, at least so many records if there are.
    ///
    /// - Returns: the stretches newest first are put in order; `place` is where to go on, towards the past; the first
    ///   place when there is no more.
    package func readBack(_ query: LogQuery, before place: UInt64, atLeast count: Int) throws -> Found {
        var all = Found(place: min(place, self.next))
        for segment in self.segments.reversed() where segment.first < all.place {
            let search = LogSearch(query, in: segment.index.names)
            var end = segment.next
            for stretch in segment.index.stretches.reversed() {
                let first = end - UInt64(stretch.count)
                defer { end = first }
                guard first < all.place else { continue }
                if search.mayMatch(stretch) {
                    var found = Found(place: first)
                    try self.scan(segment, stretch, first, query, &found, before: all.place)
                    all.batches = found.batches + all.batches
                    all.count += found.count
                    all.size += found.size
                    all.scanned += found.scanned
                }
                all.place = first
                guard all.count < count, all.scanned < Self.mostScanned, all.size < Self.mostFound else { return all }
            }
        }
        all.place = self.first
        return all
    }

    /// Looks at the batches of a stretch, from the place in `found` on, which moves behind each.
    private func scan(
        _ segment: LogSegment, _ stretch: LogSummary, _ first: UInt64, _ query: LogQuery, _ found: inout Found,
        before limit: UInt64 = .max
    ) throws {
        let from = found.place
        var place = first
        var left = stretch.count
        var next = stretch.place
        while left > 0 {
            // What a disk has damaged is passed over.
            let end = try? segment.file.read(from: next, limit: LogSegment.stretchSize + (8 << 10)) { frame, _ in
                found.scanned += frame.count
                if place >= from, place < limit { try Self.take(frame, query, &found) }
                left -= 1
                place += 1
                return left > 0
            }
            guard let end, end > next, place < limit else { return }
            next = end
        }
    }

    private static func take(_ frame: UnsafeRawBufferPointer, _ query: LogQuery, _ found: inout Found) throws {
        let bytes = try LogSegment.parse(frame).batch
        let batch = try LogBatch(reading: bytes)
        let wanted = query.isForAll ? [batch] : try batch.filtered(query)
        for part in wanted {
            let data = query.isForAll ? Data(bytes) : part.bytes
            found.batches.append(data)
            found.count += part.count
            found.size += data.count
        }
    }
}

extension LogBatch {
    /// The records that are wanted, in batches of such that follow each other.
    func filtered(_ query: LogQuery) throws -> [LogBatch] {
        var parts: [LogBatch] = []
        var run = LogRun()
        var first: UInt64 = 0
        func finish() {
            guard run.count > 0 else { return }
            var part = self
            (part.firstSequence, part.count, part.contents) = (first, run.count, run.contents)
            parts.append(part)
            run = LogRun()
        }
        try self.forEachSketch { sketch, sequence, contents, place in
            guard query.mayMatch(sketch) else { return finish() }
            var reader = WireReader(contents, offset: place.lowerBound)
            let record = try LogContent(reading: &reader).record(
                node: self.node, processID: self.processID, source: self.source, sequence: sequence)
            guard query.matches(record) else { return finish() }
            if run.count == 0 { first = sequence }
            run.add(encoded: UnsafeRawBufferPointer(rebasing: contents[place]))
        }
        finish()
        return parts
    }
}
