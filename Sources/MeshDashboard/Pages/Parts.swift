import ActorMesh
import FoundationEssentials
import MeshCore
import MeshRuntime

/// Small pieces that pages have in common.
enum Parts {
    /// Where an actor is in its life, as a sign and a word.
    static func state(_ state: ActorInfo.State) -> HTML {
        "<span class=\"state \(state.rawValue)\">\(state.rawValue)</span>"
    }

    /// Why an actor ended.
    static func cause(_ cause: ActorTermination.Cause) -> HTML {
        "<span class=\"cause\(cause.isTrouble ? " trouble" : "")\">\(cause.title)</span>"
    }

    /// An actor by its name or its number, as a link to its page.
    static func link(_ actor: ActorInfo) -> HTML {
        "<a href=\"\(Page.actor(actor.id).target)\">\(self.label(name: actor.name, id: actor.id))</a>"
    }

    static func label(name: String?, id: UniqueID) -> HTML {
        name.map { "<span class=\"name\">\($0)</span>" } ?? "<code class=\"id\">\(id.short)</code>"
    }

    /// A type without its module, which is there for those who ask.
    static func type(_ name: String) -> HTML { "<span title=\"\(name)\">\(shortName(ofType: name))</span>" }

    /// A time; the script shows it in the reader's own zone.
    static func time(_ date: Date) -> HTML {
        "<time datetime=\"\(date.formatted(.iso8601))\">\(self.words(for: date))</time>"
    }

    /// The same to the millisecond, for what has to be put in an order.
    static func fineTime(_ date: Date) -> HTML {
        let text = date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        return "<time datetime=\"\(text)\" data-fine>\(text)</time>"
    }

    /// `2026-11-30 23:33:03 UTC`
    static func words(for date: Date) -> String {
        let text = date.formatted(
            .iso8601.year().month().day().dateSeparator(.dash).dateTimeSeparator(.space)
                .time(includingFractionalSeconds: false).timeSeparator(.colon))
        return "\(text) UTC"
    }

    /// How much of something is used, as a bar; the numbers stand beside it.
    static func meter(_ used: Double, of total: Double, _ what: String) -> HTML {
        let share = total > 0 ? min(1, max(0, used / total)) : 0
        let width = String(Int((share * 100).rounded()))
        let load: HTML = share >= 0.9 ? " full" : ""
        return """
            <svg class="meter\(load)" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" \
            aria-label="\(what): \(width) percent used"><rect class="track" width="100" height="6"/>\
            <rect class="used" width="\(width)" height="6"/></svg>
            """
    }

    /// `1`, `0.5`, `12,345`
    static func number(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "–" }
        if value == value.rounded() { return self.number(Int(value)) }
        let hundredths = Int((value * 100).rounded())
        let digits = String(abs(hundredths) % 100 + 100).dropFirst()
        let fraction = digits.last == "0" ? digits.dropLast() : digits
        return "\(hundredths < 0 ? "-" : "")\(self.number(abs(hundredths) / 100)).\(fraction)"
    }

    /// `12,345`
    static func number(_ value: Int) -> String {
        var digits = Array(String(abs(value)))
        var position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: position)
            position -= 3
        }
        return (value < 0 ? "-" : "") + String(digits)
    }

    /// `1.5 ms`; `–` for none.
    static func duration(_ duration: Duration?) -> String {
        guard let duration else { return "–" }
        let (seconds, attoseconds) = duration.components
        let microseconds = Double(seconds) * 1e6 + Double(attoseconds) / 1e12
        let (value, unit) =
            microseconds < 1000
            ? (microseconds, "µs") : microseconds < 1e6 ? (microseconds / 1000, "ms") : (microseconds / 1e6, "s")
        return "\(self.number(value < 10 ? (value * 10).rounded() / 10 : value.rounded())) \(unit)"
    }

    static func bytes(_ count: Int64) -> String { count == 0 ? "0" : ByteCount.bytes(count).text }

    /// A number and what it counts: `1 actor`, `2 actors`.
    static func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        "\(self.number(number)) \(number == 1 ? one : many ?? one + "s")"
    }

    /// What a page shows when there is nothing on it.
    static func nothing(_ text: HTML) -> HTML { "<p class=\"nothing\">\(text)</p>" }
}

extension ActorTermination.Cause {
    /// For people, short.
    var title: String {
        switch self {
        case .released: "released"
        case .exited: "exited"
        case .stopped: "stopped"
        case .killed: "killed"
        case .ownerDied: "owner died"
        case .processCrashed: "process crashed"
        case .outOfMemory: "out of memory"
        case .nodeLost: "node lost"
        case .restartsExhausted: "restarts exhausted"
        case .constructorFailed: "initialiser failed"
        case .notPlaced: "not placed"
        case .unknown: "unknown"
        }
    }

    /// Whether somebody may want to do something about it.
    var isTrouble: Bool {
        switch self {
        case .processCrashed, .outOfMemory, .nodeLost, .restartsExhausted, .constructorFailed, .notPlaced: true
        case .released, .exited, .stopped, .killed, .ownerDied, .unknown: false
        }
    }
}
