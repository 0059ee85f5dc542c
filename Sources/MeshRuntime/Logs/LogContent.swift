import FoundationEssentials
package import Logging
package import MeshCore

/// A record without what its source is the same for: as the source itself writes it, and as it is stored.
///
/// MessagePack, written by hand because a program waits for each: `[kind, level, nanoseconds since 1970, text, [key,
/// value, …], [id, incarnation, type, name] or nil, task, trace, dropped]`, and behind that the driver's process, if it is
/// known.
package struct LogContent: Hashable, Sendable {
    package var kind: LogRecord.Kind
    package var level: Logger.Level
    /// Nanoseconds since 1970.
    package var time: UInt64
    package var text: String
    package var metadata: [String: String] = [:]
    package var actor: LogRecord.Actor?
    package var task: String?
    package var traceID: String?
    package var dropped: UInt64 = 0
    package var driver: PeerID?

    /// A text is cut at so many bytes.
    package static let longestText = 64 << 10
    /// So many pairs of metadata are kept, and of each part so many bytes.
    package static let mostMetadata = 64
    package static let longestMetadata = 4 << 10
    /// No record takes more than this: a text, and metadata that was cut.
    package static let largest = 1 << 20

    package init(
        kind: LogRecord.Kind, level: Logger.Level, time: UInt64, text: String, metadata: [String: String] = [:],
        actor: LogRecord.Actor? = nil, task: String? = nil, traceID: String? = nil, dropped: UInt64 = 0,
        driver: PeerID? = nil
    ) {
        self.kind = kind
        self.level = level
        self.time = time
        self.text = text
        self.metadata = metadata
        self.actor = actor
        self.task = task
        self.traceID = traceID
        self.dropped = dropped
        self.driver = driver
    }

    /// The record that it is as a part of its source.
    package func record(node: String, processID: Int32, source: UniqueID, sequence: UInt64) -> LogRecord {
        LogRecord(
            node: node, processID: processID, source: source, sequence: sequence, date: LogTime.date(self.time),
            level: self.level, kind: self.kind, text: self.text, metadata: self.metadata, actor: self.actor,
            task: self.task, traceID: self.traceID, dropped: self.dropped, driver: self.driver)
    }

    /// The same without what its source says.
    package init(_ record: LogRecord) {
        self.init(
            kind: record.kind, level: record.level, time: LogTime.nanoseconds(record.date), text: record.text,
            metadata: record.metadata, actor: record.actor, task: record.task, traceID: record.traceID,
            dropped: record.dropped, driver: record.driver)
    }
}

// MARK: Writing

extension LogContent {
    package func write(to buffer: WireBuffer) {
        let metadata = self.metadata.sorted { $0.key < $1.key }.prefix(Self.mostMetadata)
        let origin = LogOrigin(actor: self.actor, task: self.task, driver: self.driver)
        Self.writeHead(self.kind, self.level, self.time, self.text, metadata.count, of: origin, to: buffer)
        for (key, value) in metadata { Self.write(key, value, to: buffer) }
        Self.writeOrigin(origin, traceID: self.traceID, dropped: self.dropped, to: buffer)
    }

    /// Everything up to the metadata, of which so many pairs have to follow.
    package static func writeHead(
        _ kind: LogRecord.Kind, _ level: Logger.Level, _ time: UInt64, _ text: String, _ pairs: Int,
        of origin: LogOrigin, to buffer: WireBuffer
    ) {
        buffer.writeArrayHeader(origin.driver == nil ? 9 : 10)
        buffer.write(kind.number)
        buffer.write(level.number)
        buffer.write(time)
        buffer.write(Self.cut(text, to: Self.longestText))
        buffer.writeArrayHeader(2 * pairs)
    }

    package static func write(_ key: String, _ value: String, to buffer: WireBuffer) {
        buffer.write(Self.cut(key, to: Self.longestMetadata))
        buffer.write(Self.cut(value, to: Self.longestMetadata))
    }

    /// Everything after the metadata.
    package static func writeOrigin(_ origin: LogOrigin, traceID: String?, dropped: UInt64, to buffer: WireBuffer) {
        if let actor = origin.actor {
            buffer.writeArrayHeader(4)
            buffer.write(actor.id)
            buffer.write(actor.incarnation)
            buffer.write(Self.cut(actor.typeName, to: Self.longestMetadata))
            buffer.write(optional: actor.name.map { Self.cut($0, to: Self.longestMetadata) })
        } else {
            buffer.writeNil()
        }
        buffer.write(optional: origin.task.map { Self.cut($0, to: Self.longestMetadata) })
        buffer.write(optional: traceID.map { Self.cut($0, to: Self.longestMetadata) })
        buffer.write(dropped)
        if let driver = origin.driver { buffer.write(driver.number) }
    }

    /// Whether bytes begin as a record does, and not with the name of a task.
    package static func isRecord(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.first == 0x99 || bytes.first == 0x9a
    }

    private static func cut(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: limit)
        // Not in the middle of a character.
        while end > text.utf8.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return String(text[..<end])
    }
}

// MARK: Reading

extension LogContent {
    /// Reads what `write` wrote.
    ///
    /// - Throws: ``WireError`` when it is none.
    package init(reading reader: inout WireReader) throws {
        let parts = try reader.readArrayHeader()
        guard parts == 9 || parts == 10 else { throw WireError("a log record has nine parts or ten") }
        guard let kind = LogRecord.Kind(number: try reader.readUInt()) else { throw WireError("no such kind") }
        guard let level = Logger.Level(number: try reader.readUInt()) else { throw WireError("no such level") }
        let time = try reader.readUInt()
        let text = try reader.readString(maximumBytes: Self.longestText)
        let count = try reader.readArrayHeader()
        guard count % 2 == 0, count <= 2 * Self.mostMetadata else { throw WireError("the metadata are no pairs") }
        var metadata: [String: String] = [:]
        for _ in 0..<(count / 2) {
            let key = try reader.readString(maximumBytes: Self.longestMetadata)
            metadata[key] = try reader.readString(maximumBytes: Self.longestMetadata)
        }
        self.init(kind: kind, level: level, time: time, text: text, metadata: metadata)
        if try !reader.readNil() {
            self.actor = try LogRecord.Actor(reading: &reader)
        }
        self.task = try reader.readOptionalString(maximumBytes: Self.longestMetadata)
        self.traceID = try reader.readOptionalString(maximumBytes: Self.longestMetadata)
        self.dropped = try reader.readUInt()
        if parts == 10 { self.driver = PeerID(try reader.readUInt()) }
    }
}

extension LogRecord.Kind {
    package var number: UInt64 {
        switch self {
        case .output: 1
        case .errorOutput: 2
        case .log: 3
        case .message: 4
        case .crash: 5
        case .gap: 6
        }
    }

    package init?(number: UInt64) {
        switch number {
        case 1: self = .output
        case 2: self = .errorOutput
        case 3: self = .log
        case 4: self = .message
        case 5: self = .crash
        case 6: self = .gap
        default: return nil
        }
    }
}

extension Logger.Level {
    package var number: UInt64 {
        switch self {
        case .trace: 0
        case .debug: 1
        case .info: 2
        case .notice: 3
        case .warning: 4
        case .error: 5
        case .critical: 6
        }
    }

    package init?(number: UInt64) {
        switch number {
        case 0: self = .trace
        case 1: self = .debug
        case 2: self = .info
        case 3: self = .notice
        case 4: self = .warning
        case 5: self = .error
        case 6: self = .critical
        default: return nil
        }
    }
}
