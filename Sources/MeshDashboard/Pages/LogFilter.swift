import ActorMesh
import FoundationEssentials
import Logging
import MeshCore
import MeshRuntime

/// The form by which records of the log are chosen. Without the script it has a button.
struct LogFilter {
    var choice: LogChoice
    /// The names of the nodes to choose from.
    var nodes: [String]

    var html: HTML {
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
        \(Self.time("since", self.choice.since, "the beginning"))
        <label for="until">Until</label>
        \(Self.time("until", self.choice.until, "now"))
        \(self.kept)\
        <button id="choose">Show</button>
        \(self.choice == LogChoice() ? HTML.empty : "<a class=\"quiet\" href=\"?\" data-soft>Clear</a>")
        </form>

        """
    }

    private var nodeNames: [String] {
        self.choice.node.map { self.nodes.contains($0) ? self.nodes : self.nodes + [$0] } ?? self.nodes
    }

    /// A field for a time ago or a date.
    private static func time(_ name: StaticString, _ value: String?, _ otherwise: StaticString) -> HTML {
        let name = HTML(stringLiteral: name)
        return """
            <input id="\(name)" name="\(name)" type="text" class="time" value="\(value ?? "")" \
            placeholder="\(HTML(stringLiteral: otherwise))" title="\(LogTime.words)" list="\(name)-times" \
            autocomplete="off" spellcheck="false"><datalist id="\(name)-times">\
            \(LogChoice.ages.html { Self.option($0, "\($0) ago", isChosen: false) })</datalist>
            """
    }

    private static func option(_ value: String, _ title: String, isChosen: Bool) -> HTML {
        "<option value=\"\(value)\"\(" selected", if: isChosen)>\(title)</option>"
    }

    /// What has no field of its own stays chosen.
    private var kept: HTML {
        let fields = self.choice.parameters.filter { ["incarnation", "limit"].contains($0.name) }
        return fields.html { "<input type=\"hidden\" name=\"\($0.name)\" value=\"\($0.value)\">\n" }
    }
}
