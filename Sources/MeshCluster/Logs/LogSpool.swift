package import FoundationEssentials
import Glibc
import Logging
package import MeshCore
package import MeshRuntime

/// What a node's workers said and its collector may not have yet, in files or in memory, up to a limit.
///
/// Batches have numbers that follow each other, also when the next process goes on with the same files. What the
/// collector has is kept a while longer: another collector, which has lost it or never had it, may ask for it. What has
/// to make room before it was collected is replaced by a record that says so. Not for several threads.
package struct LogSpool {
    /// Names it for ever: the collector knows by it what it has already.
    package private(set) var id = UniqueID.make()
    private let directory: String?
    private let limit: Int
    private let segmentSize: Int
    private var segments: [Segment] = []
    private var nextNumber: UInt64 = 1
    /// The collector has everything up to here.
    package private(set) var acknowledged: UInt64 = 0
    /// What was dropped, by its source: a record each, under the number of the last batch that it stands for.
    private var gaps: [UniqueID: LogBatch] = [:]

    /// The last that is known of a source: where its next process, or its ring, goes on.
    package struct Last: Hashable, Sendable {
        package var sequence: UInt64
        package var ringPlace: UInt32?
    }

    private struct Segment {
        var first: UInt64
        var file: FrameFile
        /// Where each batch is, by its number less the first.
        var places: [Int] = []

        var next: UInt64 { self.first + UInt64(self.places.count) }
    }

    /// One in memory.
    package init(limit: Int) {
        self.directory = nil
        self.limit = limit
        self.segmentSize = max(1 << 10, limit / 16)
    }

    /// Goes on with what is in a folder, which is there and nobody else's.
    ///
    /// - Parameter found: is told the last that is there of each source.
    /// - Throws: `systemFailure` when the files cannot be opened.
    package init(directory: String, limit: Int, found: (UniqueID, Last) -> Void = { _, _ in }) throws {
        self.directory = directory
        self.limit = limit
        self.segmentSize = max(1 << 10, min(4 << 20, limit / 16))
        let files = try FileManager.default.contentsOfDirectory(atPath: directory).compactMap(Self.parse)
        guard let newest = files.max(by: { $0.number < $1.number }) else { return }
        self.id = newest.id
        for file in files.sorted(by: { $0.number < $1.number }) where file.id == self.id {
            var segment = Segment(first: file.number, file: FrameFile())
            segment.file = try FrameFile(path: "\(directory)/\(file.name)") { frame, place in
                guard let batch = try? LogBatch(reading: frame) else { return }
                segment.places.append(place)
                found(batch.source, Last(sequence: batch.lastSequence, ringPlace: batch.ringPlace))
            }
            if !segment.places.isEmpty { self.segments.append(segment) }
        }
        self.nextNumber = self.segments.last?.next ?? 1
        _ = try FrameFile(path: "\(directory)/gaps") { frame, _ in
            guard let batch = try? LogBatch(reading: frame) else { return }
            self.gaps[batch.source] = batch
        }
    }

    private static func parse(_ name: String) -> (name: String, id: UniqueID, number: UInt64)? {
        let parts = name.split(whereSeparator: { $0 == "-" || $0 == "." })
        guard parts.count == 3, parts[2] == "spool", let id = UniqueID(String(parts[0])),
            let number = UInt64(parts[1], radix: 16)
        else { return nil }
        return (name, id, number)
    }

    /// How many bytes it has.
    package var size: Int { self.segments.reduce(0) { $0 + $1.file.size } }

    /// The number of the last batch.
    package var last: UInt64 { self.nextNumber - 1 }

    // MARK: Writing

    /// Writes a batch down; its number is given by the spool. When this returns the batch survives this process if the
    /// spool is in files.
    ///
    /// - Throws: `systemFailure` when it cannot be written.
    package mutating func append(_ batch: LogBatch) throws(MeshError) {
        var batch = batch
        batch.number = self.nextNumber
        if self.segments.last.map({ $0.file.size >= self.segmentSize }) ?? true { try self.addSegment() }
        let index = self.segments.count - 1
        self.segments[index].places.append(try self.segments[index].file.append(batch.bytes))
        self.nextNumber += 1
        while self.size > self.limit, self.segments.count > 1 { self.dropOldest() }
    }

    private mutating func addSegment() throws(MeshError) {
        var file = FrameFile()
        if let directory {
            let digits = hexadecimal(self.nextNumber)
            do {
                file = try FrameFile(path: "\(directory)/\(self.id)-\(digits).spool")
            } catch {
                throw (error as? MeshError) ?? MeshError(.systemFailure, "\(error)")
            }
        }
        self.segments.append(Segment(first: self.nextNumber, file: file))
        self.removeAcknowledged()
    }

    /// The oldest segment makes room.
    private mutating func dropOldest() {
        let segment = self.segments.removeFirst()
        var hasLost = false
        if segment.next - 1 > self.acknowledged {
            _ = try? segment.file.read(from: 0, limit: segment.file.size) { frame, _ in
                guard let batch = try? LogBatch(reading: frame) else { return true }
                if batch.number > self.acknowledged {
                    hasLost = true
                    self.noteGap(batch)
                }
                return true
            }
        }
        segment.file.remove()
        if hasLost { self.writeGaps() }
    }

    private mutating func noteGap(_ batch: LogBatch) {
        // A gap that is dropped itself stands for more than one.
        let own = batch.count == 1 ? (try? batch.records().first?.dropped) ?? 0 : 0
        let before = self.gaps[batch.source].flatMap { try? $0.records().first?.dropped } ?? 0
        self.gaps[batch.source] = LogBatch.gap(
            of: max(own, UInt64(batch.count)) + before, in: batch, number: batch.number)
    }

    private func writeGaps() {
        guard let directory else { return }
        let path = "\(directory)/gaps"
        unlink("\(path).new")
        guard let file = try? FrameFile(path: "\(path).new") else { return }
        for gap in self.gaps.values { _ = try? file.append(gap.bytes) }
        rename("\(path).new", path)
    }

    // MARK: Sending

    /// The batches after a number, as bytes: as many as the limit allows, at least one if there is any.
    package func batches(after number: UInt64, limit: Int) -> (batches: [Data], last: UInt64) {
        var found: [Data] = []
        var size = 0
        var last = number
        for gap in self.gaps.values.filter({ $0.number > number }).sorted(by: { $0.number < $1.number }) {
            found.append(gap.bytes)
            size += gap.contents.count
            last = gap.number
        }
        for segment in self.segments where segment.next > last + 1 && size < limit {
            let index = last >= segment.first ? Int(last + 1 - segment.first) : 0
            let place = segment.places[index]
            // What cannot be read is passed over, so that it does not stop what comes after it.
            var next = segment.first + UInt64(index)
            _ = try? segment.file.read(from: place, limit: limit - size) { frame, _ in
                found.append(Data(frame))
                size += frame.count
                next += 1
                return size < limit
            }
            last = next > segment.first + UInt64(index) ? next - 1 : segment.next - 1
            // No more of this one was read than the limit allows: what follows comes after it.
            if last + 1 < segment.next { break }
        }
        return (found, last)
    }

    /// The collector has everything up to a number.
    package mutating func acknowledge(_ number: UInt64) {
        self.acknowledged = max(self.acknowledged, min(number, self.last))
        guard self.gaps.contains(where: { $0.value.number <= self.acknowledged }) else { return }
        self.gaps = self.gaps.filter { $0.value.number > self.acknowledged }
        self.writeGaps()
    }

    /// Another collector has only so much.
    package mutating func retract(to number: UInt64) { self.acknowledged = min(number, self.last) }

    /// Whether the collector has everything up to a number.
    func isCollected(upTo number: UInt64) -> Bool {
        self.acknowledged >= number && !self.gaps.contains { $0.value.number <= number }
    }

    /// Whether nobody needs it any more.
    package var isCollected: Bool { self.acknowledged == self.last && self.gaps.isEmpty }

    /// Of what was collected the last segment is kept, and the one before.
    private mutating func removeAcknowledged() {
        while self.segments.count > 2, let first = self.segments.first, first.next - 1 <= self.acknowledged {
            first.file.remove()
            self.segments.removeFirst()
        }
    }

    /// Removes all files.
    package mutating func removeAll() {
        for segment in self.segments { segment.file.remove() }
        if let directory { unlink("\(directory)/gaps") }
        self.segments = []
    }
}

extension LogBatch {
    /// A record in the place of those that are missing, up to the end of a batch.
    package static func gap(of dropped: UInt64, in batch: LogBatch, number: UInt64) -> LogBatch {
        var run = LogRun()
        let text = "\(dropped) records are missing: they had to make room before they could be collected"
        run.add(LogContent(kind: .gap, level: .warning, time: LogOutlet.now(), text: text, dropped: dropped))
        return LogBatch(
            number: number, source: batch.source, node: batch.node, processID: batch.processID,
            firstSequence: batch.lastSequence, count: 1, contents: run.contents)
    }
}
