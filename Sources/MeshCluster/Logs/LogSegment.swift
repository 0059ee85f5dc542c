import FoundationEssentials
import Glibc
import MeshCore
import MeshMessagePack
import MeshRuntime

/// A part of what the collector has: a file of batches, or memory, and where in it to look for what.
///
/// A frame is the number of the spool that a batch is from, in 16 bytes, and the batch. Frames have places in the whole
/// store that follow each other: those of this segment begin with `first`.
struct LogSegment {
    let first: UInt64
    let file: FrameFile
    private(set) var index: Index

    /// What is written down beside a segment that is full.
    struct Index: Codable, Sendable {
        /// How many bytes of the file it is about.
        var size = 0
        var count: UInt64 = 0
        /// How many records its batches have, and how many there were in the store before them.
        var records: UInt64 = 0
        var recordsBefore: UInt64 = 0
        var stretches: [LogSummary] = []
        var names = LogNames()
        /// The last batch of each spool.
        var spools: [UniqueID: UInt64] = [:]
        var latest: UInt64 = 0
    }

    /// A stretch is so many bytes, or one batch.
    static let stretchSize = 64 << 10

    /// A new one in memory.
    ///
    /// - Parameter recordsBefore: how many records there were in the store before its own.
    init(first: UInt64, recordsBefore: UInt64 = 0) {
        self.first = first
        self.file = FrameFile()
        self.index = Index()
        self.index.recordsBefore = recordsBefore
    }

    /// One in a file, which is read when it has no index.
    init(first: UInt64, path: String, recordsBefore: UInt64) throws {
        self.first = first
        let stored = Self.storedIndex(path)
        var index = Index()
        index.recordsBefore = recordsBefore
        if let stored, let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int,
            size == stored.size
        {
            self.file = try FrameFile(path: path, known: stored.size)
            self.index = stored
            return
        }
        self.file = try FrameFile(path: path) { frame, place in index.add(frame, at: place) }
        index.size = self.file.size
        self.index = index
    }

    private static func storedIndex(_ path: String) -> Index? {
        guard let data = FileManager.default.contents(atPath: "\(path).index"), data.count > 4 else { return nil }
        let checksum = UInt32(littleEndian: data.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) })
        let body = Data(data.dropFirst(4))
        guard Checksum.crc32c(body) == checksum else { return nil }
        return try? MessagePackDecoder().decode(Index.self, from: body)
    }

    var next: UInt64 { self.first + self.index.count }

    /// How many records there are in the store up to its end, with those that were removed.
    var recordsSoFar: UInt64 { self.index.recordsBefore + self.index.records }

    mutating func append(_ batch: LogBatch, from spool: UniqueID, _ bytes: Data) throws {
        var frame = Data(capacity: bytes.count + 16)
        withUnsafeBytes(of: (spool.high.littleEndian, spool.low.littleEndian)) { frame.append(contentsOf: $0) }
        frame.append(bytes)
        let place = try self.file.append(frame)
        try self.index.add(batch, from: spool, at: place)
        self.index.size = self.file.size
    }

    /// No more is written to it.
    func seal() {
        guard let path = self.file.path else { return }
        self.file.synchronise()
        guard let body = try? MessagePackEncoder().encode(self.index) else { return }
        var data = Data()
        withUnsafeBytes(of: Checksum.crc32c(body).littleEndian) { data.append(contentsOf: $0) }
        data.append(body)
        // One that is not complete is not used.
        try? data.write(to: URL(filePath: "\(path).index"))
    }

    func remove() {
        self.file.remove()
        if let path = self.file.path { unlink("\(path).index") }
    }

    /// What a frame is.
    static func parse(_ frame: UnsafeRawBufferPointer) throws -> (spool: UniqueID, batch: UnsafeRawBufferPointer) {
        guard frame.count > 16 else { throw WireError("a frame of logs has more than 16 bytes") }
        let spool = UniqueID(
            high: UInt64(littleEndian: frame.loadUnaligned(as: UInt64.self)),
            low: UInt64(littleEndian: frame.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        return (spool, UnsafeRawBufferPointer(rebasing: frame[16...]))
    }
}

extension LogSegment.Index {
    fileprivate mutating func add(_ frame: UnsafeRawBufferPointer, at place: Int) {
        do {
            let (spool, bytes) = try LogSegment.parse(frame)
            try self.add(try LogBatch(reading: bytes), from: spool, at: place)
        } catch {
            // It counts, so that what follows keeps its place, and has nothing to be found.
            self.openStretch(at: place)
            self.stretches[self.stretches.count - 1].count += 1
            self.count += 1
        }
    }

    fileprivate mutating func add(_ batch: LogBatch, from spool: UniqueID, at place: Int) throws {
        self.openStretch(at: place)
        let index = self.stretches.count - 1
        try self.stretches[index].add(batch, &self.names)
        self.spools[spool] = max(self.spools[spool] ?? 0, batch.number)
        self.count += 1
        self.records += UInt64(batch.count)
        self.latest = max(self.latest, self.stretches[index].latest)
    }

    private mutating func openStretch(at place: Int) {
        guard let last = self.stretches.last, place - last.place < LogSegment.stretchSize else {
            return self.stretches.append(LogSummary(place: place))
        }
    }
}
