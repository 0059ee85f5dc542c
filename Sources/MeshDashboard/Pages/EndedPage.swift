import ActorMesh
import MeshCore
import MeshRuntime

/// The actors that have ended, and why.
struct EndedPage {
    var query: ActorQuery
    var page: EndedActorPage
    var nodes: [String]

    var html: HTML {
        """
        <h1>Actors</h1>
        \(ActorTabs(current: .ended, ended: self.page.total).html)
        \(ActorFilter(query: self.query, nodes: self.nodes, hasStates: false).html)
        \(self.page.terminations.isEmpty ? self.nothing : self.table)
        \(Pager(query: self.query, shown: self.page.terminations.count, matching: self.page.matching) { .ended($0) }.html)
        """
    }

    private var nothing: HTML {
        self.page.total == 0
            ? Parts.nothing("The broker remembers no actor that has ended.")
            : Parts.nothing("None of \(Parts.count(self.page.total, "ended actor")) is like that.")
    }

    private var table: HTML {
        """
        <div class="scroll">
        <table class="rows"><caption>\(Parts.count(self.page.matching, "actor")) that ended, the last first</caption>
        <thead><tr><th scope="col">Ended</th><th scope="col">Name</th><th scope="col">Type</th>\
        <th scope="col">Cause</th><th scope="col">What happened</th><th scope="col">Node</th>\
        <th scope="col" class="number">Lives</th></tr></thead>
        <tbody>
        \(self.page.terminations.html(Self.row))</tbody></table>
        </div>

        """
    }

    private static func row(_ end: ActorTermination) -> HTML {
        """
        <tr id="a\(end.actor.description)"><td>\(Parts.time(end.date))</td>\
        <th scope="row"><a href="\(Page.actor(end.actor).target)">\(Parts.label(name: end.name, id: end.actor))</a></th>\
        <td>\(Parts.type(end.typeName))</td><td>\(Parts.cause(end.cause))</td><td class="message">\(end.message)</td>\
        <td>\(end.node.isEmpty ? "–" : end.node)</td><td class="number">\(end.incarnation)</td></tr>

        """
    }
}
