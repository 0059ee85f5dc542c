internal import CMsgpack
internal import FoundationEssentials

extension Date: NativelyEncodable {
    /// As the format's timestamp, in the shortest of its three forms. The fraction is rounded to nanoseconds.
    static func write(_ value: UnsafeRawPointer, to place: EncodingPlace) throws {
        let date = self.load(value)
        // The reference date is what a date stores; going through 1970 in floating point would lose bits.
        let interval = date.timeIntervalSinceReferenceDate
        let whole = interval.rounded(.down)
        guard interval.isFinite, var seconds = Int64(exactly: whole) else { throw self.unrepresentable(date, place) }
        var nanoseconds = UInt32(((interval - whole) * 1e9).rounded())
        if nanoseconds == 1_000_000_000 {
            nanoseconds = 0
            seconds += 1
        }
        let (unix, overflow) = seconds.addingReportingOverflow(Int64(Self.timeIntervalBetween1970AndReferenceDate))
        guard !overflow else { throw self.unrepresentable(date, place) }
        place.buffer.packTimestamp(seconds: unix, nanoseconds: nanoseconds)
    }

    private static func unrepresentable(_ date: Date, _ place: EncodingPlace) -> EncodingError {
        // The interval and not the date: describing a date that is not a number traps in Foundation.
        .invalidValue(
            date.timeIntervalSinceReferenceDate,
            .init(codingPath: place.codingPath, debugDescription: "The date is beyond what a timestamp can say.")
        )
    }
}

extension Date: NativelyDecodable {
    static func read(into result: UnsafeMutableRawPointer, from place: DecodingPlace) throws {
        let head = try place.scalar(Self.self) { head throws(Flaw) in head }
        guard head.kind == .ext, head.extensionType == MessagePackFormat.timestampType else {
            throw Flaw.mismatch(found: head.kind).error(expected: Self.self, path: place.codingPath)
        }
        let timestamp = try place.timestamp(head)
        let (seconds, overflow) = timestamp.tv_sec.subtractingReportingOverflow(
            Int64(Self.timeIntervalBetween1970AndReferenceDate)
        )
        guard !overflow else { throw place.corrupted("The timestamp is beyond what a date can say.") }
        self.store(Date(timeIntervalSinceReferenceDate: Double(seconds) + Double(timestamp.tv_nsec) / 1e9), result)
    }
}

extension DecodingPlace {
    /// Lets libmsgpack take a timestamp's three forms apart.
    fileprivate func timestamp(_ head: Head) throws -> msgpack_timestamp {
        try self.session.body(of: head).withMemoryRebound(to: CChar.self) { body in
            var object = msgpack_object()
            object.type = MSGPACK_OBJECT_EXT
            object.via.ext.type = head.extensionType
            object.via.ext.size = UInt32(body.count)
            object.via.ext.ptr = body.baseAddress
            var timestamp = msgpack_timestamp()
            guard msgpack_object_to_timestamp(&object, &timestamp) else {
                throw self.corrupted("A timestamp has 4, 8 or 12 bytes, not \(body.count).")
            }
            guard timestamp.tv_nsec < 1_000_000_000 else {
                throw self.corrupted("A timestamp's nanoseconds are \(timestamp.tv_nsec), a second or more.")
            }
            return timestamp
        }
    }
}
