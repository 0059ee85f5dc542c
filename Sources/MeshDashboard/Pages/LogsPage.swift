import ActorMesh
import FoundationEssentials
import Logging
import MeshCore
import MeshRuntime

/// The newest records of the log that were chosen, the newest last.
struct LogsPage {
    var choice: LogChoice
    var records: [LogRecord]
    var nodes: [String]

    var html: HTML {
        """
        <h1>Logs</h1>
        \(self.form)
        \(self.records.isEmpty ? self.nothing : self.list)
        """
    }

    private var nothing: HTML {
        self.choice == LogChoice()
            ? Parts.nothing("Nobody has said anything yet.") : Parts.nothing("No record is like that.")
    }

    // MARK: Choosing

    private var form: HTML {
        """
        <form class="filter" role="search" method="get" data-soft>
        <label for="text">Text</label>
        <input id="text" name="text" type="search" value="\(self.choice.text ?? "")" autocomplete="off" spellcheck="false">
        <label for="actor">Actor</label>
        <input id="actor" name="actor" type="search" value="\(self.choice.actor ?? "")" placeholder="name, type or ID; * for any" \
        autocomplete="off" spellcheck="false">
        <label for="level">Level</label>
        <select id="level" name="level"><option value="">any</option>\
        \(Logger.Level.allCases.html { Self.option($0.rawValue, "\($0.rawValue) or worse", isChosen: $0 == self.choice.level) })\
        </select>
        <label for="node">Node</label>
        <select id="node" name="node"><option value="">any</option>\
        \(self.nodeNames.html { Self.option($0, $0, isChosen: $0 == self.choice.node) })</select>
        <label for="age">Since</label>
        <select id="age" name="age"><option value="">the beginning</option>\
        \(LogChoice.ages.html { Self.option($0.name, "\($0.name) ago", isChosen: $0.name == self.choice.age) })</select>
        \(self.kept)\
        <button id="choose">Show</button>
        \(self.choice == LogChoice() ? HTML.empty : "<a class=\"quiet\" href=\"?\" data-soft>Clear</a>")
        </form>

        """
    }

    private var nodeNames: [String] {
        self.choice.node.map { self.nodes.contains($0) ? self.nodes : self.nodes + [$0] } ?? self.nodes
    }

    private static func option(_ value: String, _ title: String, isChosen: Bool) -> HTML {
        "<option value=\"\(value)\"\(" selected", if: isChosen)>\(title)</option>"
    }

    /// What has no field of its own stays chosen.
    private var kept: HTML {
        let fields = self.choice.parameters.filter { ["task", "incarnation", "limit"].contains($0.name) }
        return fields.html { "<input type=\"hidden\" name=\"\($0.name)\" value=\"\($0.value)\">\n" }
    }

    // MARK: Showing

    private var list: HTML {
        """
        <p class="note">The newest \(Parts.count(self.records.count, "record"))</p>
        <ol class="log" tabindex="0" aria-label="Records" data-follow>
        \(self.records.html(Self.line))</ol>

        """
    }

    private static func line(_ record: LogRecord) -> HTML {
        let isGap = record.kind == .gap
        let text =
            isGap ? "\(Parts.count(Int(clamping: record.dropped), "record")) missing: \(record.text)" : record.text
        return """
            <li id="l\(record.source.description)-\(record.sequence)" class="is-\(record.level.rawValue)\(isGap ? " gap" : "")">\
            \(Parts.time(record.date)) <span class="level">\(record.level.rawValue)</span> \
            <span class="origin">\(self.origin(of: record))</span> <span class="text">\(text)</span></li>

            """
    }

    /// Who said it.
    private static func origin(of record: LogRecord) -> HTML {
        let place: HTML = "<span class=\"note\">\(record.node) \(record.processID)</span>"
        if let actor = record.actor {
            let name = actor.name ?? "#\(actor.id.short)"
            return """
                <a href="\(Page.actor(actor.id).target)">\(shortName(ofType: actor.typeName)) \(name)</a> \(place)
                """
        }
        return record.task.map { "\(shortName(ofType: $0)) \(place)" as HTML } ?? place
    }
}
