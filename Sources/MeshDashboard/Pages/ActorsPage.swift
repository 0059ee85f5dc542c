import ActorMesh
import MeshCore
import MeshRuntime

/// The actors that are there: chosen, sorted, and a page of them at a time.
struct ActorsPage {
    var query: ActorQuery
    var page: ActorPage
    /// The names of the nodes to choose from.
    var nodes: [String]
    /// The actor or the program to which the list is confined, for people.
    var parentLabel: String?
    /// What the actors have done; nil where that is not asked, because there are too many.
    var statistics: [UniqueID: ActorStatistics]?

    /// Of so many actors it is asked what they have done: each process tells that of all its actors.
    static let statisticsLimit = 2000

    var html: HTML {
        """
        <h1>Actors</h1>
        \(ActorTabs(current: .living, living: self.page.total).html)
        \(ActorFilter(query: self.query, nodes: self.nodes, hasStates: true).html)
        \(self.parent)
        \(self.page.actors.isEmpty ? self.nothing : self.table)
        \(Pager(query: self.query, shown: self.page.actors.count, matching: self.page.matching) { .actors($0) }.html)
        """
    }

    private var parent: HTML {
        guard let label = self.parentLabel else { return .empty }
        var all = self.query
        all.parent = nil
        return """
            <p class="chosen">Only those that \(label) spawned. <a href="\(Page.actors(all).target)">Show all</a></p>

            """
    }

    private var nothing: HTML {
        if self.page.total == 0 { return Parts.nothing("No actors live in this mesh.") }
        if self.page.matching > 0 { return Parts.nothing("There are fewer actors by now than this page begins with.") }
        return Parts.nothing("None of \(Parts.count(self.page.total, "actor")) is like that.")
    }

    /// The columns of what the broker knows.
    private static let columns: [Column] = [
        Column("Name", .name) { actor in "<th scope=\"row\">\(Parts.link(actor))</th>" },
        Column("Type", .type) { actor in "<td>\(Parts.type(actor.typeName))</td>" },
        Column("State", .state) { actor in
            """
            <td>\(Parts.state(actor.state))\
            \(actor.waitsFor.map { "<span class=\"note waits\">waits: \($0)</span>" as HTML })</td>
            """
        },
        Column("Node", .node) { actor in "<td>\(actor.node.isEmpty ? "–" : actor.node)</td>" },
        Column("Process", isNumber: true) { actor in
            "<td class=\"number\">\(actor.processID == 0 ? "–" : String(actor.processID))</td>"
        },
        Column("Restarts", .restarts, isNumber: true) { actor in
            "<td class=\"number\(actor.restarts > 0 ? " some" : "")\">\(Parts.number(actor.restarts))</td>"
        },
        Column("Children", .children, isNumber: true) { actor in
            "<td class=\"number\">\(Parts.number(actor.children))</td>"
        },
        Column("Holders", .holders, isNumber: true) { actor in
            "<td class=\"number\">\(Parts.number(actor.holders))</td>"
        },
        Column("Placement") { actor in
            "<td>\(actor.placement.rawValue)\(actor.lifetime == .detached ? ", detached" : "")</td>"
        },
    ]

    private struct Column {
        let title: String
        let order: ActorQuery.Order?
        let isNumber: Bool
        let cell: @Sendable (ActorInfo) -> HTML

        init(
            _ title: String, _ order: ActorQuery.Order? = nil, isNumber: Bool = false,
            cell: @escaping @Sendable (ActorInfo) -> HTML
        ) {
            self.title = title
            self.order = order
            self.isNumber = isNumber
            self.cell = cell
        }
    }

    private var table: HTML {
        """
        <div class="scroll">
        <table class="rows\(" many", if: self.statistics != nil)"><caption>\(self.caption)</caption>
        <thead><tr>\(Self.columns.html(self.heading))\(self.statistics == nil ? HTML.empty : Self.measured)</tr></thead>
        <tbody>
        \(self.page.actors.html { actor in
            "<tr id=\"a\(actor.id.description)\">\(Self.columns.html { $0.cell(actor) })\(self.measures(of: actor))</tr>\n"
        })</tbody></table>
        </div>

        """
    }

    private static let measured: HTML = """
        <th scope="col" class="number">Calls</th><th scope="col" class="number">Failed</th>\
        <th scope="col" class="number">Waiting</th><th scope="col" class="number">Median</th>\
        <th scope="col" class="number">99 %</th>
        """

    /// What an actor has done in this life; its calls ran for so long, without the time that they waited.
    private func measures(of actor: ActorInfo) -> HTML {
        guard let statistics = self.statistics else { return .empty }
        guard let own = statistics[actor.id], own.incarnation == actor.incarnation else {
            return (0..<5).html { _ in "<td class=\"number\">–</td>" }
        }
        return """
            <td class="number">\(Parts.number(Int(clamping: own.calls)))</td>\
            <td class="number\(own.failures > 0 ? " some" : "")">\(Parts.number(Int(clamping: own.failures)))</td>\
            <td class="number">\(Parts.number(own.waiting))</td>\
            <td class="number">\(Parts.duration(own.latencies.quantile(0.5)))</td>\
            <td class="number">\(Parts.duration(own.latencies.quantile(0.99)))</td>
            """
    }

    private var caption: String {
        let sorted = self.query.isDescending ? "\(self.query.order.rawValue), turned round" : self.query.order.rawValue
        return self.page.matching == self.page.total
            ? "\(Parts.count(self.page.total, "actor")), by \(sorted)"
            : "\(Parts.number(self.page.matching)) of \(Parts.count(self.page.total, "actor")), by \(sorted)"
    }

    private func heading(_ column: Column) -> HTML {
        let kind: HTML = column.isNumber ? " class=\"number\"" : ""
        guard let order = column.order else { return "<th scope=\"col\"\(kind)>\(column.title)</th>" }
        let isCurrent = order == self.query.order
        var next = self.query
        next.order = order
        // Numbers are of interest from the large ones on.
        next.isDescending = isCurrent ? !self.query.isDescending : column.isNumber
        next.offset = 0
        let direction: HTML = self.query.isDescending ? "descending" : "ascending"
        return """
            <th scope="col"\(kind)\(isCurrent ? " aria-sort=\"\(direction)\"" : HTML.empty)>\
            <a href="\(Page.actors(next).target)" data-soft>\(column.title)</a></th>
            """
    }
}

/// The actors that are there, and those that have ended.
struct ActorTabs {
    enum Tab {
        case living
        case ended
    }

    var current: Tab
    var living: Int?
    var ended: Int?

    var html: HTML {
        """
        <nav class="tabs" aria-label="Which actors"><ul>\
        <li><a href="\(Page.actors(ActorQuery()).target)"\(" aria-current=\"page\"", if: self.current == .living)>Living\
        \(Self.count(self.living))</a></li>\
        <li><a href="\(Page.ended(ActorQuery()).target)"\(" aria-current=\"page\"", if: self.current == .ended)>Ended\
        \(Self.count(self.ended))</a></li></ul></nav>
        """
    }

    private static func count(_ number: Int?) -> HTML {
        number.map { " <span class=\"count\">\(Parts.number($0))</span>" } ?? .empty
    }
}

/// The form by which actors are chosen. Without the script it has a button.
struct ActorFilter {
    var query: ActorQuery
    var nodes: [String]
    var hasStates: Bool

    var html: HTML {
        """
        <form class="filter" role="search" method="get" data-soft>
        <label for="text">Find</label>
        <input id="text" name="text" type="search" value="\(self.query.text)" placeholder="name, type, node or ID" \
        autocomplete="off" spellcheck="false">
        \(self.states)\
        <label for="node">Node</label>
        <select id="node" name="node"><option value="">any</option>\(self.nodeOptions)</select>
        \(self.kept)\
        <button id="choose">Show</button>
        \(self.query.isFiltered ? "<a class=\"quiet\" href=\"?\" data-soft>Clear</a>" : HTML.empty)
        </form>
        """
    }

    private var states: HTML {
        guard self.hasStates else { return .empty }
        let chosen = self.query.states.count == 1 ? self.query.states.first : nil
        let all: [ActorInfo.State] = [.alive, .starting, .pending, .restarting, .ending]
        return """
            <label for="state">State</label>
            <select id="state" name="state"><option value="">any</option>\
            \(all.html { Self.option($0.rawValue, isChosen: $0 == chosen) })</select>

            """
    }

    private var nodeOptions: HTML {
        // One that has gone can still be chosen by an address.
        let known = self.query.node.map { self.nodes.contains($0) ? self.nodes : self.nodes + [$0] } ?? self.nodes
        return known.html { Self.option($0, isChosen: $0 == self.query.node) }
    }

    private static func option(_ value: String, isChosen: Bool) -> HTML {
        "<option value=\"\(value)\"\(" selected", if: isChosen)>\(value)</option>"
    }

    /// What is chosen elsewhere stays chosen.
    private var kept: HTML {
        let fields = self.query.parameters.filter { !["text", "state", "node", "offset"].contains($0.name) }
        return fields.html { "<input type=\"hidden\" name=\"\($0.name)\" value=\"\($0.value)\">\n" }
    }
}

/// The way to the pages before and after.
struct Pager {
    var query: ActorQuery
    var shown: Int
    var matching: Int
    var page: (ActorQuery) -> Page

    init(query: ActorQuery, shown: Int, matching: Int, page: @escaping (ActorQuery) -> Page) {
        self.query = query
        self.shown = shown
        self.matching = matching
        self.page = page
    }

    var html: HTML {
        guard self.matching > self.shown || self.query.offset > 0 else { return .empty }
        let last = (max(0, self.matching - 1) / self.query.limit) * self.query.limit
        let first = self.shown == 0 ? 0 : self.query.offset + 1
        return """
            <nav class="pager" aria-label="Pages of the list">
            \(self.link("First", to: 0, isThere: self.query.offset > 0))
            \(self.link("Previous", to: max(0, self.query.offset - self.query.limit), isThere: self.query.offset > 0))
            <span class="where">\(Parts.number(first))–\(Parts.number(self.query.offset + self.shown)) of \
            \(Parts.number(self.matching))</span>
            \(self.link("Next", to: self.query.offset + self.query.limit, isThere: self.query.offset < last))
            \(self.link("Last", to: last, isThere: self.query.offset < last))
            </nav>
            """
    }

    private func link(_ title: String, to offset: Int, isThere: Bool) -> HTML {
        guard isThere else { return "<span class=\"off\" aria-disabled=\"true\">\(title)</span>" }
        var query = self.query
        query.offset = offset
        return "<a href=\"\(self.page(query).target)\" data-soft>\(title)</a>"
    }
}
