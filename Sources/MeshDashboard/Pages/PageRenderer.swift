import ActorMesh
import FoundationEssentials
import MeshCore

/// Asks the mesh for what a page shows, and renders it.
struct PageRenderer: Sendable {
    let view: MeshView
    let history: EventHistory

    /// The content of a page for somebody.
    ///
    /// - Parameters:
    ///   - problems: what makes no sense in its address; then that is all that it says.
    ///   - tail: follows what the page shows of the log, when it is one that stays open.
    func content(
        of page: Page, for session: Session?, problems: [ParameterProblem] = [], tail: LogTail? = nil
    ) async -> Content {
        guard problems.isEmpty else {
            let html = UnclearPage(page: page, problems: problems, nodes: await self.nodeNames()).html
            return Content(title: page.section.rawValue, html: html)
        }
        return await self.content(of: page, for: session, tail)
    }

    private func content(of page: Page, for session: Session?, _ tail: LogTail?) async -> Content {
        switch page {
        case .overview: await self.overview()
        case .nodes:
            await Self.content("Nodes", self.view.nodes()) { NodesPage(nodes: $0).html }
        case .tasks:
            await Self.content("Tasks", self.view.tasks()) { TasksPage(tasks: $0).html }
        case .objects: await self.objects()
        case .logs(let choice): await self.logs(choice, tail)
        case .actors(let query): await self.actors(query)
        case .ended(let query): await self.ended(query)
        case .actor(let id): await self.actor(id, for: session, tail)
        case .tree(let choice): await self.tree(choice)
        }
    }

    private func overview() async -> Content {
        let nodes = await self.view.nodes()
        let events = self.history.last(25)
        return await Self.content("Overview", self.view.overview()) { overview in
            OverviewPage(
                overview: overview, nodes: nodes.value ?? [], events: events, listensSince: self.history.startDate
            ).html
        }
    }

    private func objects() async -> Content {
        let overview = await self.view.overview()
        return await Self.content("Objects", self.view.nodes()) { nodes in
            guard let overview = overview.value else { return NodesPage(nodes: nodes).html }
            return ObjectsPage(overview: overview, nodes: nodes).html
        }
    }

    private func nodeNames() async -> [String] { await self.view.nodes().value?.map(\.name) ?? [] }

    private func actors(_ query: ActorQuery) async -> Content {
        let nodes = await self.nodeNames()
        let parent = await self.label(of: query.parent)
        let known = await self.view.actors(matching: query)
        var statistics: [UniqueID: ActorStatistics]?
        if known.problem == nil, let total = known.value?.total, total <= ActorsPage.statisticsLimit {
            let all = await self.view.statistics().value?.processes.flatMap(\.actors)
            statistics = all.map { Dictionary($0.map { ($0.id, $0) }) { $0.incarnation > $1.incarnation ? $0 : $1 } }
        }
        return Self.content("Actors", known) { page in
            ActorsPage(query: query, page: page, nodes: nodes, parentLabel: parent, statistics: statistics).html
        }
    }

    private func label(of parent: ActorQuery.Parent?) async -> String? {
        switch parent {
        case .actor(let id):
            let details = await self.view.details(of: id).value ?? nil
            return details.map(ActorDetailsPage.title) ?? "actor \(id.short)"
        case .program(let process): return "program \(process)"
        case .nobody: return "nobody whose end counts"
        case nil: return nil
        }
    }

    private func ended(_ query: ActorQuery) async -> Content {
        let nodes = await self.nodeNames()
        return await Self.content("Ended actors", self.view.endedActors(matching: query)) { page in
            EndedPage(query: query, page: page, nodes: nodes).html
        }
    }

    private func logs(_ choice: LogChoice, _ tail: LogTail?) async -> Content {
        let nodes = await self.nodeNames()
        return await Self.content("Logs", self.log(choice, tail)) { window in
            LogsPage(choice: choice, window: window, nodes: nodes).html
        }
    }

    private func log(_ choice: LogChoice, _ tail: LogTail?) async -> Known<LogWindow> {
        if let window = tail?.look() {
            // The tail itself waits until the broker is back.
            let nodes = await self.view.nodes()
            return Known(value: window, date: nodes.date, problem: nodes.problem)
        }
        let found = await self.view.records(choice)
        if found.problem == nil, let records = found.value { tail?.begin(with: records) }
        return Known(
            value: found.value.map { LogWindow(records: $0) }, date: found.date, problem: found.problem)
    }

    private func actor(_ id: UniqueID, for session: Session?, _ tail: LogTail?) async -> Content {
        let answer = await self.view.details(of: id)
        guard let details = answer.value ?? nil else {
            guard answer.problem == nil else { return Self.away("Actor", answer.date, answer.problem ?? "") }
            return Content(
                title: "No such actor",
                html: """
                    <h1>No such actor</h1>
                    <p class="lead">The broker knows nothing of <code>\(id.description)</code>: it has forgotten it, or never \
                    knew it.</p>

                    """, isMissing: true)
        }
        var children: ActorPage?
        if details.actor?.children ?? 0 > 0 {
            children = await self.view.actors(matching: ActorQuery(parent: .actor(id), limit: 24)).value
        }
        var calls: [CallInfo]?
        var statistics: ActorStatistics?
        if answer.problem == nil, let actor = details.actor {
            async let figures = self.view.statistics()
            calls = await self.view.calls(concerning: id).value
            let known = await figures.value?.actors.first { $0.actor.id == id }?.actor
            statistics = known.flatMap { $0.incarnation == actor.incarnation ? $0 : nil }
        }
        let choice = Page.actor(id).logChoice ?? LogChoice()
        let log = await self.log(choice, tail).value.map { LogList(window: $0, choice: choice, isShort: true) }
        let known = Known(value: details, date: answer.date, problem: answer.problem)
        return Self.content(ActorDetailsPage.title(details), known) { details in
            ActorDetailsPage(
                details: details, children: children, calls: calls, statistics: statistics, log: log,
                mayKill: session?.isSignedIn ?? false
            ).html
        }
    }

    private func tree(_ choice: TreeChoice) async -> Content {
        let overview = await self.view.overview()
        guard let value = overview.value else { return Self.away("Tree", overview.date, overview.problem ?? "") }
        var root: ActorInfo?
        if let id = choice.root {
            root = (await self.view.details(of: id).value ?? nil)?.actor
        }
        let tree = await ActorTree(choice, programs: value.programs, detached: value.detached) { parent in
            await self.view.actors(
                matching: ActorQuery(parent: parent, order: .age, limit: ActorTree.childLimit)
            ).value
        }
        guard let tree else { return Self.away("Tree", overview.date, self.view.reach.problem ?? "") }
        let known = Known(value: tree, date: overview.date, problem: self.view.reach.problem)
        return Self.content("Tree", known) { tree in
            TreePage(choice: choice, tree: tree, root: root, total: value.actors).html
        }
    }

    // MARK: While the mesh is away

    /// A page of what is known, with a word about its age when that is not now.
    private static func content<Value>(
        _ title: String, _ known: Known<Value>, _ body: (Value) -> HTML
    ) -> Content {
        guard let value = known.value else { return self.away(title, known.date, known.problem ?? "") }
        guard let problem = known.problem else { return Content(title: title, html: body(value)) }
        return Content(title: title, html: self.banner(known.date, problem) + body(value), isOld: true)
    }

    private static func away(_ title: String, _ date: Date?, _ problem: String) -> Content {
        Content(
            title: title,
            html: """
                \(self.banner(date, problem))<h1>\(title)</h1>
                \(Parts.nothing("There is nothing to show until the broker answers."))

                """, isOld: true)
    }

    private static func banner(_ date: Date?, _ problem: String) -> HTML {
        let since: HTML =
            date.map { "This is what was so at \(Parts.time($0))." }
            ?? "It has not answered since this dashboard was started."
        return """
            <div class="away" id="away" role="alert"><strong>The broker does not answer.</strong> \(since) \
            This page goes on by itself when it is back. <span class="note">\(problem)</span></div>

            """
    }
}
