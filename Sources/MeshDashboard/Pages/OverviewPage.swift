import ActorMesh
import FoundationEssentials
import MeshCore
import MeshRuntime

/// The mesh in numbers, its nodes, and what happened last.
struct OverviewPage {
    var overview: MeshOverview
    var nodes: [NodeInfo]
    var events: [MeshEvent]
    var listensSince: Date

    var html: HTML {
        """
        <h1>Overview</h1>
        \(self.numbers)
        <div class="columns">
        <section aria-labelledby="nodes-title"><h2 id="nodes-title">Nodes</h2>
        \(self.nodes.isEmpty ? Self.noNodes : NodesPage(nodes: self.nodes).table)</section>
        <section aria-labelledby="types-title"><h2 id="types-title">Types</h2>
        \(self.types)</section>
        </div>
        <section aria-labelledby="events-title"><h2 id="events-title">What happened last</h2>
        \(self.happenings)</section>

        """
    }

    static let noNodes: HTML = Parts.nothing(
        "This mesh has no nodes. Start one with <code>mesh node --program PATH</code>.")

    private var numbers: HTML {
        let overview = self.overview
        let alive = overview.states[.alive] ?? 0
        let others = overview.states.filter { $0.key != .alive }.sorted { $0.key.rawValue < $1.key.rawValue }
        return """
            <ul class="figures">
            <li><a href="\(Page.actors(ActorQuery()).target)"><strong>\(Parts.number(overview.actors))</strong> \
            \(overview.actors == 1 ? "actor" : "actors")</a>
            <span class="note">\(Parts.number(alive)) alive\
            \(others.html { ", <a href=\"\(Self.target($0.key))\">\(Parts.number($0.value)) \($0.key.rawValue)</a>" })\
            </span></li>
            <li><a href="\(Page.ended(ActorQuery()).target)"><strong>\(Parts.number(overview.ended))</strong> ended</a>
            <span class="note">as far as remembered</span></li>
            <li><a href="\(Page.nodes.target)"><strong>\(Parts.number(overview.nodes))</strong> \
            \(overview.nodes == 1 ? "node" : "nodes")</a>
            <span class="note">\(Parts.count(overview.placementGroups, "placement group"))</span></li>
            <li><span class="label"><strong>\(Parts.number(overview.used.cpus))</strong> of \
            \(Parts.number(overview.resources.cpus)) CPUs</span>
            \(Parts.meter(overview.used.cpus, of: overview.resources.cpus, "CPUs"))
            <span class="note">promised to actors and tasks</span></li>
            <li><span class="label"><strong>\(Parts.bytes(overview.used.memory.bytes))</strong> of \
            \(Parts.bytes(overview.resources.memory.bytes))</span>
            \(Parts.meter(Double(overview.used.memory.bytes), of: Double(overview.resources.memory.bytes), "Memory"))
            <span class="note">memory promised</span></li>
            \(overview.resources.gpus > 0 ? self.gpus : .empty)
            </ul>

            """
    }

    private var gpus: HTML {
        """
        <li><span class="label"><strong>\(Parts.number(self.overview.used.gpus))</strong> of \
        \(Parts.number(self.overview.resources.gpus)) GPUs</span>
        \(Parts.meter(self.overview.used.gpus, of: self.overview.resources.gpus, "GPUs"))
        <span class="note">promised</span></li>
        """
    }

    private static func target(_ state: ActorInfo.State) -> Target {
        Page.actors(ActorQuery(states: [state])).target
    }

    private var types: HTML {
        guard !self.overview.types.isEmpty else { return Parts.nothing("No actors live in this mesh.") }
        let most = self.overview.types.first?.count ?? 1
        let shown = self.overview.types.prefix(10)
        let more = self.overview.typeCount - shown.count
        return """
            <table class="narrow"><caption>How many actors there are of each type</caption>
            <thead><tr><th scope="col">Type</th><th scope="col" class="number">Actors</th>\
            <th scope="col"><span class="hidden">Share</span></th></tr></thead>
            <tbody>
            \(shown.html { type in
                """
                <tr><td><a href="\(Page.actors(ActorQuery(type: type.type)).target)">\(Parts.type(type.type))</a></td>\
                <td class="number">\(Parts.number(type.count))</td>\
                <td class="bar">\(Self.bar(type.count, of: most))</td></tr>

                """
            })</tbody></table>
            \(more > 0 ? "<p class=\"note\">and \(Parts.count(more, "more type"))</p>" : .empty)
            """
    }

    private static func bar(_ count: Int, of most: Int) -> HTML {
        let width = max(1, count * 100 / max(1, most))
        return """
            <svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">\
            <rect class="used" width="\(width)" height="6"/></svg>
            """
    }

    private var happenings: HTML {
        guard !self.events.isEmpty else {
            return Parts.nothing(
                "Nothing has happened since \(Parts.time(self.listensSince)), when this page began to listen.")
        }
        return """
            <ol class="events">
            \(self.events.html { event in
                """
                <li class="\(event.kind.rawValue)">\(Parts.time(event.date)) <span class="kind">\(event.kind.title)</span> \
                <span class="what">\(Self.subject(event))</span> <span class="why">\(event.reason)</span></li>

                """
            })</ol>

            """
    }

    private static func subject(_ event: MeshEvent) -> HTML {
        guard let actor = event.actor else { return "<span class=\"name\">\(event.subject)</span>" }
        return "<a href=\"\(Page.actor(actor).target)\">\(event.subject)</a>"
    }
}

extension MeshEvent {
    /// What there is to say beside what happened and to whom.
    fileprivate var reason: String {
        switch self.kind {
        case .actorStarted: self.incarnation > 1 ? "life \(self.incarnation)" : ""
        case .actorRestarting, .actorEnded, .nodeLost: self.message
        case .nodeJoined: ""
        }
    }
}

extension MeshEvent.Kind {
    var title: String {
        switch self {
        case .actorStarted: "started"
        case .actorRestarting: "restarting"
        case .actorEnded: "ended"
        case .nodeJoined: "joined"
        case .nodeLost: "lost"
        }
    }
}
