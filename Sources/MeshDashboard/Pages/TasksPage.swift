import ActorMesh
import MeshCore
import MeshRuntime

/// The workers that are out to run tasks, and what they run.
struct TasksPage {
    var tasks: TaskListing

    var html: HTML {
        """
        <h1>Tasks</h1>
        <p class="lead">\(self.summary)</p>
        \(self.silent)\
        \(self.tasks.workers.isEmpty ? Self.none : self.table)
        """
    }

    private static let none = Parts.nothing(
        "No worker is out to run tasks. What waits with its submitter for one is not known here.")

    private var summary: String {
        let running = self.tasks.workers.reduce(0) { $0 + ($1.running?.count ?? 0) }
        let waiting = self.tasks.waiting > 0 ? "; \(Parts.count(self.tasks.waiting, "request")) for resources wait" : ""
        return "\(Parts.count(running, "task")) \(running == 1 ? "runs" : "run") in "
            + "\(Parts.count(self.tasks.workers.count, "worker"))\(waiting)."
    }

    private var silent: HTML {
        guard !self.tasks.silentNodes.isEmpty else { return .empty }
        return """
            <p class="warning">\(self.tasks.silentNodes.joined(separator: ", ")) did not say in time what \
            \(self.tasks.silentNodes.count == 1 ? "it runs" : "they run").</p>

            """
    }

    private var table: HTML {
        """
        <table><caption>Workers that run tasks</caption>
        <thead><tr><th scope="col">Node</th><th scope="col" class="number">Process</th><th scope="col">Runs now</th>\
        <th scope="col">Since</th><th scope="col">Has</th><th scope="col">Submitter</th></tr></thead>
        <tbody>
        \(self.tasks.workers.html(Self.row))</tbody></table>

        """
    }

    private static func row(_ worker: TaskListing.Worker) -> HTML {
        let running = worker.running ?? []
        let what: HTML =
            worker.running == nil
            ? "<span class=\"note\">did not say in time</span>"
            : running.isEmpty
                ? "<span class=\"note\">nothing</span>" : Self.lines(running.map { "\(Parts.type($0.typeName))" })
        return """
            <tr><td>\(worker.node)</td><td class="number">\(worker.processID)</td><td>\(what)</td>\
            <td>\(Self.lines(running.map { Parts.time($0.startDate) }))</td>\
            <td>\(worker.resources.map { $0.text(gpuIDs: worker.gpuIDs) } ?? "a slot")</td>\
            <td><code>\(worker.submitter.description)</code></td></tr>

            """
    }

    private static func lines(_ pieces: [HTML]) -> HTML { HTML(pieces.map { "<div>\($0)</div>" }) }
}
