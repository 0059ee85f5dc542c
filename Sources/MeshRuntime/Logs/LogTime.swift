package import FoundationEssentials

/// Times as numbers.
package enum LogTime {
    package static func date(_ nanoseconds: UInt64) -> Date { Date(timeIntervalSince1970: Double(nanoseconds) / 1e9) }

    package static func nanoseconds(_ date: Date) -> UInt64 {
        let seconds = date.timeIntervalSince1970
        return seconds > 0 && seconds < 1e10 ? UInt64(seconds * 1e9) : seconds > 0 ? .max : 0
    }
}

// Times as people write them.
extension LogTime {
    /// What ``date(_:before:)`` reads.
    package static let words = "a time ago, such as 30s, 5m, 2h or 7d, or a date such as 2026-01-31T12:00:00Z"

    /// Reads `5m` as five minutes before another time, or a date; nil when it is neither.
    package static func date(_ text: String, before now: Date) -> Date? {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        if let unit = text.last.flatMap({ units[$0] }), let count = Double(text.dropLast()), count >= 0, count < 1e9 {
            return now.addingTimeInterval(-count * unit)
        }
        let styles = [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)]
        for style in styles { if let date = try? style.parse(text) { return date } }
        return nil
    }
}
