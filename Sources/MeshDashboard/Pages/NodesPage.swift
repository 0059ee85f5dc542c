import ActorMesh
import MeshCore
import MeshRuntime

/// The nodes with what they have and what of that is used.
struct NodesPage {
    var nodes: [NodeInfo]

    var html: HTML {
        """
        <h1>Nodes</h1>
        \(self.nodes.isEmpty ? OverviewPage.noNodes : self.nodes.html(Self.section))
        """
    }

    /// One line for each.
    var table: HTML {
        """
        <table><caption>The nodes, and what of their resources is promised</caption>
        <thead><tr><th scope="col">Node</th><th scope="col" class="number">Actors</th>\
        <th scope="col">CPUs</th><th scope="col">Memory</th><th scope="col">GPUs</th></tr></thead>
        <tbody>
        \(self.nodes.html { node in
            """
            <tr><th scope="row"><a href="\(Page.actors(ActorQuery(node: node.name)).target)">\(node.name)</a></th>\
            <td class="number">\(Parts.number(node.actors))</td>\
            <td>\(Self.share(node.used.cpus, node.resources.cpus, "CPUs of \(node.name)"))</td>\
            <td>\(Self.memory(node))</td>\
            <td>\(node.resources.gpus > 0 ? Self.share(node.used.gpus, node.resources.gpus, "GPUs of \(node.name)") : "–")\
            </td></tr>

            """
        })</tbody></table>

        """
    }

    private static func share(_ used: Double, _ total: Double, _ what: String) -> HTML {
        """
        <span class="share">\(Parts.meter(used, of: total, what))<span>\(Parts.number(used)) / \(Parts.number(total))\
        </span></span>
        """
    }

    private static func memory(_ node: NodeInfo) -> HTML {
        let (used, total) = (node.used.memory.bytes, node.resources.memory.bytes)
        return """
            <span class="share">\(Parts.meter(Double(used), of: Double(total), "Memory of \(node.name)"))\
            <span>\(Parts.bytes(used)) / \(Parts.bytes(total))</span></span>
            """
    }

    private static func section(_ node: NodeInfo) -> HTML {
        let custom = node.resources.custom.sorted { $0.key < $1.key }
        return """
            <section class="card" id="node-\(node.name)" aria-label="Node \(node.name)">
            <h2>\(node.name)</h2>
            <dl class="facts">
            <div><dt>Actors</dt><dd><a href="\(Page.actors(ActorQuery(node: node.name)).target)">\
            \(Parts.number(node.actors))</a></dd></div>
            <div><dt>CPUs</dt><dd>\(Self.share(node.used.cpus, node.resources.cpus, "CPUs"))</dd></div>
            <div><dt>Memory</dt><dd>\(Self.memory(node))</dd></div>
            <div><dt>GPUs</dt><dd>\
            \(node.resources.gpus > 0 ? Self.share(node.used.gpus, node.resources.gpus, "GPUs") : "none")</dd></div>
            \(custom.html { name, total in
                "<div><dt>\(name)</dt><dd>\(Self.share(node.used.custom[name] ?? 0, total, name))</dd></div>\n"
            })\
            <div><dt>Large objects</dt><dd>\(ObjectsPage.usage(node))</dd></div>
            <div><dt>Programs</dt><dd>\(node.programs.joined(separator: ", "))</dd></div>
            <div><dt>Process</dt><dd class="number">\(node.processID)</dd></div>
            <div><dt>Addresses</dt><dd class="lines">\(node.endpoints.html { "<code>\($0)</code> " })</dd></div>
            </dl>
            </section>

            """
    }
}
