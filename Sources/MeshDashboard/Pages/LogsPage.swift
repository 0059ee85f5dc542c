import ActorMesh
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
        \(LogFilter(choice: self.choice, nodes: self.nodes).html)
        \(self.window.records.isEmpty ? self.nothing : self.list)
        """
    }

    private var nothing: HTML {
        self.choice == LogChoice()
            ? Parts.nothing("Nobody has said anything yet.") : Parts.nothing("No record is like that.")
    }

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
