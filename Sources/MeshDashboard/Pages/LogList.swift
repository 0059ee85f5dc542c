import ActorMesh
import FoundationEssentials
import Logging
import MeshCore
import MeshRuntime

/// Records of the log below each other, the newest last. What they say is somebody else's text: it is cut where it is
/// very long, and what would colour a terminal is left out.
struct LogList {
    var window: LogWindow
    var choice: LogChoice
    /// Whether it is one part of a page among others.
    var isShort = false

    /// More of a text is not shown.
    static let textLimit = 4000
    /// More of what was said beside it is not shown.
    private static let metadataLimit = 16

    /// The script keeps what a list of the same choice has shown before, up to a limit of its own.
    var html: HTML {
        """
        <ol class="log\(" short", if: self.isShort)" tabindex="0" aria-label="Records" \
        data-follow="\(Page.logs(self.choice).target)">
        \(self.passed)\(self.window.records.html(Self.line))</ol>

        """
    }

    private var passed: HTML {
        guard self.window.passed > 0 else { return .empty }
        return """
            <li id="p\(self.window.number)" class="gap"><span class="text">\
            \(Parts.count(self.window.passed, "record")) went by too fast to be shown; choose fewer, or read them with \
            mesh logs.</span></li>

            """
    }

    private static func line(_ record: LogRecord) -> HTML {
        let isGap = record.kind == .gap
        return """
            <li id="l\(record.source.description)-\(record.sequence)" class="is-\(record.level.rawValue)\(" gap", if: isGap)">\
            \(Parts.fineTime(record.date)) <span class="level">\(record.level.rawValue)</span> \
            <span class="origin">\(self.origin(of: record))</span> <span class="text">\
            \(self.cut(record.text, to: self.textLimit))\(self.metadata(of: record))</span></li>

            """
    }

    /// Who said it.
    private static func origin(of record: LogRecord) -> HTML {
        let place: HTML = "<span class=\"note\">\(record.node) \(record.processID)</span>"
        if let actor = record.actor {
            let name = actor.name ?? "#\(actor.id.short)"
            return """
                <a href="\(Page.actor(actor.id).target)" title="\(actor.typeName), life \(actor.incarnation)">\
                \(shortName(ofType: actor.typeName)) \(name)</a> \(place)
                """
        }
        return record.task.map { "\(shortName(ofType: $0)) \(place)" as HTML } ?? place
    }

    private static func metadata(of record: LogRecord) -> HTML {
        let pairs = record.metadata.filter { $0.key != "logger" }.sorted { $0.key < $1.key }
        return pairs.prefix(self.metadataLimit).html {
            " <span class=\"note\">\($0.key)=\(self.cut($0.value, to: 200))</span>"
        }
    }

    private static func cut(_ text: String, to limit: Int) -> HTML {
        guard text.unicodeScalars.count > limit else { return HTML(escaping: self.plain(text)) }
        let rest = text.unicodeScalars.count - limit
        let start = String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit)))
        return "\(self.plain(start))<span class=\"note\"> … \(Parts.count(rest, "more character"))</span>"
    }

    /// A text without what tells a terminal how to show it, such as `ESC [ 31 m`.
    static func plain(_ text: String) -> String {
        guard text.unicodeScalars.contains("\u{1b}") else { return text }
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            if scalar == "\u{1b}", rest.first == "[" {
                let parameters = rest.dropFirst().drop { (" "..."?").contains($0) }
                if let last = parameters.first, ("@"..."~").contains(last) {
                    rest = parameters.dropFirst()
                    continue
                }
            }
            result.append(scalar)
        }
        return String(result)
    }
}
