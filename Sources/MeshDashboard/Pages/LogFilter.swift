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
        \(Self.field("text", "Text", Self.search("text", self.choice.text, "")))
        \(Self.field("actor", "Actor", Self.search("actor", self.choice.actor, "name, type or ID")))
        \(Self.field("task", "Task", Self.search("task", self.choice.task, "type")))
        \(Self.field("level", "Level", self.levels))
        \(Self.field("node", "Node", self.nodeNames))
        \(Self.field("since", "Since", Self.time("since", self.choice.since, "the beginning")))
        \(Self.field("until", "Until", Self.time("until", self.choice.until, "now")))
        \(self.kept)\
        <button id="choose">Show</button>
        \(self.choice == LogChoice() ? HTML.empty : "<a class=\"quiet\" href=\"?\" data-soft>Clear</a>")
        </form>

        """
    }

    private var levels: HTML {
        """
        <select id="level" name="level"><option value="">any</option>\
        \(Logger.Level.allCases.html { Self.option($0.rawValue, "\($0.rawValue) or worse", isChosen: $0 == self.choice.level) })\
        </select>
        """
    }

    private var nodeNames: HTML {
        // One that has gone can still be chosen by an address.
        let names = self.choice.node.map { self.nodes.contains($0) ? self.nodes : self.nodes + [$0] } ?? self.nodes
        return """
            <select id="node" name="node"><option value="">any</option>\
            \(names.html { Self.option($0, $0, isChosen: $0 == self.choice.node) })</select>
            """
    }

    /// A field behind its label, from which it is not parted.
    private static func field(_ id: HTML, _ title: HTML, _ field: HTML) -> HTML {
        "<span class=\"field\"><label for=\"\(id)\">\(title)</label> \(field)</span>"
    }

    private static func search(_ name: HTML, _ value: String?, _ hint: HTML) -> HTML {
        """
        <input id="\(name)" name="\(name)" type="search" value="\(value ?? "")" placeholder="\(hint)" \
        autocomplete="off" spellcheck="false">
        """
    }

    /// A field for a time ago or a date.
    private static func time(_ name: HTML, _ value: String?, _ otherwise: HTML) -> HTML {
        """
        <input id="\(name)" name="\(name)" type="text" class="time" value="\(value ?? "")" placeholder="\(otherwise)" \
        title="\(LogTime.words)" list="\(name)-times" autocomplete="off" spellcheck="false">\
        <datalist id="\(name)-times">\
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
