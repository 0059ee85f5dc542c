import ActorMesh
import MeshCore
import MeshRuntime

/// How full the nodes' stores of large objects are.
struct ObjectsPage {
    var overview: MeshOverview
    var nodes: [NodeInfo]

    var html: HTML {
        """
        <h1>Objects</h1>
        <p class="lead">\(self.shared). Large ones lie in the store of the node where they were made; small ones travel \
        with messages and are not counted.</p>
        \(self.nodes.isEmpty ? OverviewPage.noNodes : self.table)
        """
    }

    private var shared: String {
        let objects = Parts.count(self.overview.sharedObjects, "object")
        let owners = self.overview.sharedObjects == 1 ? "its owner" : "their owners"
        let verb = self.overview.sharedObjects == 1 ? "is" : "are"
        return "\(objects) \(verb) referred to by others than \(owners)"
    }

    private var table: HTML {
        """
        <table><caption>Large objects on each node</caption>
        <thead><tr><th scope="col">Node</th><th scope="col" class="number">Objects</th>\
        <th scope="col">In memory</th><th scope="col" class="number">On disk</th></tr></thead>
        <tbody>
        \(self.nodes.html { node in
            """
            <tr><th scope="row">\(node.name)</th>\
            <td class="number">\(node.objects.map { Parts.number($0.count) } ?? "–")</td>\
            <td>\(Self.usage(node))</td>\
            <td class="number">\(node.objects.map { Parts.bytes(Int64($0.bytesOnDisk)) } ?? "–")</td></tr>

            """
        })</tbody></table>

        """
    }

    /// What the objects of a node take of the memory that they may take.
    static func usage(_ node: NodeInfo) -> HTML {
        guard let objects = node.objects else { return "<span class=\"note\">did not say in time</span>" }
        let (used, budget) = (Int64(objects.bytes), Int64(objects.budget))
        return """
            <span class="share">\(Parts.meter(Double(used), of: Double(budget), "Object memory of \(node.name)"))\
            <span>\(Parts.bytes(used)) / \(Parts.bytes(budget))</span></span>
            """
    }
}
