package import FoundationEssentials
package import MeshCore

/// Records of one source that follow each other: what a node writes down at once, sends at once, and the collector
/// stores, in the same bytes.
///
/// MessagePack: `[1, number, source, node, process, first sequence, count, the records, place in the ring or nil]`.
package struct LogBatch: Hashable, Sendable {
    /// Counts the batches of whoever sends it.
    package var number: UInt64
    package var source: UniqueID
    package var node: String
    package var processID: Int32
    /// The sequence of the first record; the others follow.
    package var firstSequence: UInt64
    package var count: Int
    /// The records, one after the other, as ``LogContent`` writes them.
    package var contents: Data
    /// How far the worker's ring was read with it; nil when it came another way.
    package var ringPlace: UInt32?

    package init(
        number: UInt64, source: UniqueID, node: String, processID: Int32, firstSequence: UInt64, count: Int,
        contents: Data, ringPlace: UInt32? = nil
    ) {
        self.number = number
        self.source = source
        self.node = node
        self.processID = processID
        self.firstSequence = firstSequence
        self.count = count
        self.contents = contents
        self.ringPlace = ringPlace
    }

    package var lastSequence: UInt64 { self.firstSequence &+ UInt64(self.count) &- 1 }

    /// Its bytes.
    package var bytes: Data {
        let buffer = WireBuffer(capacity: self.contents.count + 160)
        buffer.writeArrayHeader(9)
        buffer.write(1 as UInt64)
        buffer.write(self.number)
        buffer.write(self.source)
        buffer.write(self.node)
        buffer.write(UInt64(UInt32(bitPattern: self.processID)))
        buffer.write(self.firstSequence)
        buffer.write(self.count)
        self.contents.withUnsafeBytes { buffer.writeBinary($0) }
        if let place = self.ringPlace { buffer.write(UInt64(place)) } else { buffer.writeNil() }
        return Data(buffer.bytes)
    }

    /// Reads a batch. Its records are not looked at.
    ///
    /// - Throws: ``WireError`` when the bytes are none.
    package init(reading bytes: UnsafeRawBufferPointer) throws {
        var reader = WireReader(bytes)
        guard try reader.readArrayHeader() == 9, try reader.readUInt() == 1 else { throw WireError("no batch of logs") }
        self.number = try reader.readUInt()
        self.source = try reader.readID()
        self.node = try reader.readString(maximumBytes: 1024)
        self.processID = Int32(truncatingIfNeeded: try reader.readUInt())
        self.firstSequence = try reader.readUInt()
        self.count = try reader.readCount()
        self.contents = Data(try reader.readBinary())
        self.ringPlace = try reader.readNil() ? nil : UInt32(truncatingIfNeeded: try reader.readUInt())
        guard reader.isAtEnd else { throw WireError("something follows a batch of logs") }
        // The least that a record takes.
        guard self.count <= self.contents.count / 9 else { throw WireError("a batch has not so many records") }
    }

    package init(reading data: Data) throws { self = try data.withUnsafeBytes { try LogBatch(reading: $0) } }

    /// Gives each record with its sequence to a closure, and where it ends.
    ///
    /// - Throws: ``WireError`` when a record is none; what the closure throws.
    package func forEach(_ body: (LogContent, UInt64) throws -> Void) throws {
        try self.contents.withUnsafeBytes { bytes in
            var reader = WireReader(bytes)
            for index in 0..<self.count {
                // A gap alone covers more than one number, and stands alone in its batch.
                try body(try LogContent(reading: &reader), self.firstSequence &+ UInt64(index))
            }
            guard reader.isAtEnd else { throw WireError("something follows the records of a batch") }
        }
    }

    /// Gives a sketch of each record to a closure, with its sequence, its bytes, and where they begin among all.
    ///
    /// - Throws: ``WireError`` when a record is none; what the closure throws.
    package func forEachSketch(
        _ body: (LogSketch, _ sequence: UInt64, _ contents: UnsafeRawBufferPointer, _ place: Range<Int>) throws -> Void
    ) throws {
        try self.contents.withUnsafeBytes { bytes in
            var reader = WireReader(bytes)
            for index in 0..<self.count {
                let start = reader.offset
                let sketch = try LogSketch(reading: &reader)
                try body(sketch, self.firstSequence &+ UInt64(index), bytes, start..<reader.offset)
            }
            guard reader.isAtEnd else { throw WireError("something follows the records of a batch") }
        }
    }

    /// The records as users have them.
    package func records(_ isWanted: (LogRecord) -> Bool = { _ in true }) throws -> [LogRecord] {
        var records: [LogRecord] = []
        try self.forEach { content, sequence in
            let record = content.record(
                node: self.node, processID: self.processID, source: self.source, sequence: sequence)
            if isWanted(record) { records.append(record) }
        }
        return records
    }
}

/// Batches of one source in the making: records as bytes, one after the other.
package struct LogRun {
    private let buffer = WireBuffer(capacity: 1024)
    package private(set) var count = 0

    package init() {}

    package var size: Int { self.buffer.count }
    package var contents: Data { Data(self.buffer.bytes) }

    package mutating func add(_ content: LogContent) {
        content.write(to: self.buffer)
        self.count += 1
    }

    /// Adds a record that is known to be one.
    package mutating func add(encoded bytes: UnsafeRawBufferPointer) {
        self.buffer.append(bytes)
        self.count += 1
    }
}
