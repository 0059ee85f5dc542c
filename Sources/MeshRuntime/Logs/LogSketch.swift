package import Logging
package import MeshCore

/// What an index has to know of a record: as much is checked as when ``LogContent`` is read, and nothing of it is made.
package struct LogSketch {
    package var kind: LogRecord.Kind
    package var level: Logger.Level
    /// Nanoseconds since 1970.
    package var time: UInt64
    /// Where its actor, its task and its driver stand among the bytes.
    package var actor: Range<Int>?
    package var task: Range<Int>?
    package var driver: PeerID?
    /// How many records a gap stands for.
    package var dropped: UInt64

    /// Passes over a record.
    ///
    /// - Throws: ``WireError`` when it is none.
    package init(reading reader: inout WireReader) throws {
        let parts = try reader.readArrayHeader()
        guard parts == 9 || parts == 10 else { throw WireError("a log record has nine parts or ten") }
        guard let kind = LogRecord.Kind(number: try reader.readUInt()) else { throw WireError("no such kind") }
        guard let level = Logger.Level(number: try reader.readUInt()) else { throw WireError("no such level") }
        (self.kind, self.level, self.time, self.dropped) = (kind, level, try reader.readUInt(), 0)
        try reader.skipString(maximumBytes: LogContent.longestText)
        let count = try reader.readArrayHeader()
        guard count % 2 == 0, count <= 2 * LogContent.mostMetadata else { throw WireError("the metadata are no pairs") }
        for _ in 0..<count { try reader.skipString(maximumBytes: LogContent.longestMetadata) }
        var start = reader.offset
        if try !reader.readNil() {
            guard try reader.readArrayHeader() == 4 else { throw WireError("an actor has four parts") }
            _ = (try reader.readID(), try reader.readUInt())
            try reader.skipString(maximumBytes: LogContent.longestMetadata)
            try reader.skipOptionalString(maximumBytes: LogContent.longestMetadata)
            self.actor = start..<reader.offset
        }
        start = reader.offset
        try reader.skipOptionalString(maximumBytes: LogContent.longestMetadata)
        if reader.offset > start + 1 { self.task = start..<reader.offset }
        try reader.skipOptionalString(maximumBytes: LogContent.longestMetadata)
        self.dropped = try reader.readUInt()
        if parts == 10 { self.driver = PeerID(try reader.readUInt()) }
    }
}

extension LogRecord.Actor {
    /// Reads an actor as it stands in a record.
    ///
    /// - Throws: ``WireError`` when it is none.
    package init(reading reader: inout WireReader) throws {
        guard try reader.readArrayHeader() == 4 else { throw WireError("an actor has four parts") }
        let (id, incarnation) = (try reader.readID(), try reader.readUInt())
        self.init(
            typeName: try reader.readString(maximumBytes: LogContent.longestMetadata),
            name: try reader.readOptionalString(maximumBytes: LogContent.longestMetadata), id: id,
            incarnation: incarnation)
    }
}
