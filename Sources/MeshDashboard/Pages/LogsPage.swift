import ActorMesh
import FoundationEssentials
import Logging
import MeshCore
import MeshRuntime

/// The newest records of the log that were chosen, the newest last.
struct LogsPage {
    var choice: LogChoice
    var window: LogWindow
    var nodes: [String]

    var html: HTML {
        """
        <h1>Logs</h1>
        \(self.form)
        \(self.window.records.isEmpty ? self.nothing : self.list)
        """
    }

    private var nothing: HTML {
        self.choice == LogChoice()
            ? Parts.nothing("Nobody has said anything yet.") : Parts.nothing("No record is like that.")
    }

    // MARK: Choosing

    private var form: HTML {
        """
        <form class="filter many" role="search" method="get" data-soft>
        <label for="text">Text</label>
        <input id="text" name="text" type="search" value="\(self.choice.text ?? "")" autocomplete="off" spellcheck="false">
        <label for="actor">Actor</label>
        <input id="actor" name="actor" type="search" value="\(self.choice.actor ?? "")" placeholder="name, type or ID" \
        autocomplete="off" spellcheck="false">
        <label for="task">Task</label>
        <input id="task" name="task" type="search" value="\(self.choice.task ?? "")" placeholder="type" \
        autocomplete="off" spellcheck="false">
        <label for="level">Level</label>
        <select id="level" name="level"><option value="">any</option>\
        \(Logger.Level.allCases.html { Self.option($0.rawValue, "\($0.rawValue) or worse", isChosen: $0 == self.choice.level) })\
        </select>
        <label for="node">Node</label>
        <select id="node" name="node"><option value="">any</option>\
        \(self.nodeNames.html { Self.option($0, $0, isChosen: $0 == self.choice.node) })</select>
        <label for="since">Since</label>
        <select id="since" name="since"><option value="">the beginning</option>\
        \(self.ages.html { Self.option($0, "\($0) ago", isChosen: $0 == self.choice.since) })</select>
        \(self.kept)\
        <button id="choose">Show</button>
        \(self.choice == LogChoice() ? HTML.empty : "<a class=\"quiet\" href=\"?\" data-soft>Clear</a>")
        </form>

        """
    }

    private var nodeNames: [String] {
        self.choice.node.map { self.nodes.contains($0) ? self.nodes : self.nodes + [$0] } ?? self.nodes
    }

    private var ages: [String] {
        self.choice.since.map { LogChoice.ages.contains($0) ? LogChoice.ages : LogChoice.ages + [$0] } ?? LogChoice.ages
    }

    private static func option(_ value: String, _ title: String, isChosen: Bool) -> HTML {
        "<option value=\"\(value)\"\(" selected", if: isChosen)>\(title)</option>"
    }

    /// What has no field of its own stays chosen.
    private var kept: HTML {
        let fields = self.choice.parameters.filter { ["incarnation", "limit"].contains($0.name) }
        return fields.html { "<input type=\"hidden\" name=\"\($0.name)\" value=\"\($0.value)\">\n" }
    }

    // MARK: Showing

    private var list: HTML {
        """
        <p class="note">The newest last.\(self.more)</p>
        \(LogList(window: self.window, choice: self.choice).html)
        """
    }

    /// The way to more than is shown.
    private var more: HTML {
        guard self.window.records.count >= self.choice.limit else { return .empty }
        guard self.choice.limit < LogChoice.maximumLimit else { return " What is older can be read with mesh logs." }
        var all = self.choice
        all.limit = LogChoice.maximumLimit
        return """
             What is older than these \(Parts.number(self.choice.limit)) is not shown: \
            <a href="\(Page.logs(all).target)" data-soft>show \(Parts.number(all.limit))</a>
            """
    }
}
