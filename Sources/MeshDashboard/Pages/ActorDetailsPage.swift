import ActorMesh
import FoundationEssentials
import MeshCore
import MeshRuntime

/// Everything that is known of one actor.
struct ActorDetailsPage {
    var details: ActorDetails
    /// The first of its children, and how many there are.
    var children: ActorPage?
    /// The calls that run or wait and concern it.
    var calls: [CallInfo]?
    /// What it has done in its present life.
    var statistics: ActorStatistics?
    /// The newest that it said.
    var log: LogList?
    /// Whether whoever looks may end it.
    var mayKill: Bool

    /// What to call it.
    static func title(_ details: ActorDetails) -> String {
        let type = shortName(ofType: details.actor?.typeName ?? details.termination?.typeName ?? "Actor")
        let name = details.actor?.name ?? details.termination?.name
        return name.map { "\(type) \"\($0)\"" } ?? "\(type) \(details.id?.short ?? "")"
    }

    var html: HTML {
        if let actor = self.details.actor { return self.living(actor) }
        if let termination = self.details.termination { return Self.ended(termination) + self.said }
        return .empty
    }

    // MARK: One that is there

    private func living(_ actor: ActorInfo) -> HTML {
        """
        <div class="heading"><h1>\(Self.title(self.details))</h1> \(Parts.state(actor.state))\(self.actions(actor))</div>
        \(actor.waitsFor.map { "<p class=\"warning\">Waits: \($0)</p>" as HTML })
        <section class="card" aria-label="Facts"><dl class="facts">
        <div><dt>ID</dt><dd><code>\(actor.id.description)</code></dd></div>
        <div><dt>Type</dt><dd><a href="\(Page.actors(ActorQuery(type: actor.typeName)).target)">\(actor.typeName)</a></dd>\
        </div>
        <div><dt>Name</dt><dd>\(actor.name ?? "none"), in namespace \(actor.namespace)</dd></div>
        <div><dt>Node</dt><dd>\(Self.node(actor))</dd></div>
        <div><dt>Process</dt><dd>\(actor.processID == 0 ? "none yet" : String(actor.processID)), \
        \(actor.placement == .process ? "of its own" : "shared with others")</dd></div>
        <div><dt>Life</dt><dd>\(self.life(of: actor))</dd></div>
            <div><dt>Lifetime</dt><dd>\(actor.lifetime == .detached ? "detached: it ends with nobody" : "owned")</dd></div>
        <div><dt>Spawned by</dt><dd>\(self.owner(of: actor))</dd></div>
        <div><dt>Has</dt><dd>\(actor.resources.map { $0.text(gpuIDs: actor.gpuIDs) } ?? "asked for nothing")</dd></div>
        <div><dt>Calls at a time</dt><dd>\(self.details.maxConcurrency == .max ? "any number" : Parts.number(self.details.maxConcurrency))</dd></div>
        </dl></section>
        \(self.figures)
        \(self.activity(of: actor))
        \(self.said)
        \(self.family(of: actor))
        \(self.holders)
        """
    }

    private func actions(_ actor: ActorInfo) -> HTML {
        guard self.mayKill else { return .empty }
        return "<a class=\"danger\" href=\"\(Target("actors", actor.id.description, "kill"))\">Kill…</a>"
    }

    private func life(of actor: ActorInfo) -> String {
        let lives = "life \(actor.incarnation)"
        guard self.details.maxRestarts != 0 else {
            return actor.restarts == 0
                ? "\(lives), without restarts"
                : "\(lives), restarted \(Parts.count(actor.restarts, "time")) by its supervisor"
        }
        return
            "\(lives), restarted \(Parts.count(actor.restarts, "time")) of at most \(self.details.maxRestarts.description)"
    }

    private static func node(_ actor: ActorInfo) -> HTML {
        actor.node.isEmpty
            ? "none yet" : "<a href=\"\(Page.actors(ActorQuery(node: actor.node)).target)\">\(actor.node)</a>"
    }

    private func owner(of actor: ActorInfo) -> HTML {
        if let owner = self.details.owner { return "\(Parts.type(owner.typeName)) \(Parts.link(owner))" }
        if let owner = actor.owner { return "<code>\(owner.description)</code>, which is not there" }
        return actor.ownerProcess.map { "program <code>\($0.description)</code>" } ?? "nobody whose end counts"
    }

    /// What it has done, and how long that took.
    private var figures: HTML {
        guard let own = self.statistics else { return .empty }
        let figures: [(String, String)] = [
            ("Calls", Parts.number(Int(clamping: own.calls))), ("Failed", Parts.number(Int(clamping: own.failures))),
            ("Running", Parts.number(own.running)), ("Waiting", Parts.number(own.waiting)),
            ("Median", Parts.duration(own.latencies.quantile(0.5))),
            ("90 %", Parts.duration(own.latencies.quantile(0.9))),
            ("99 %", Parts.duration(own.latencies.quantile(0.99))),
        ]
        return """
            <section aria-labelledby="figures-title"><h2 id="figures-title">Calls in this life</h2>
            <ul class="figures many">\(figures.html { "<li><span class=\"label\">\($0.0)</span> <strong>\($0.1)</strong></li>\n" })</ul>
            <p class="note">Median, 90 % and 99 %: so long its calls ran at most, without the time that they waited.</p>
            </section>
            """
    }

    /// What it said last.
    private var said: HTML {
        guard let log = self.log, !log.window.records.isEmpty, let id = self.details.id else { return .empty }
        return """
            <section aria-labelledby="log-title"><h2 id="log-title">What it said last</h2>
            \(log.html)
            <p class="after"><a href="\(Page.logs(LogChoice(actor: id.description)).target)">Its log</a></p></section>
            """
    }

    /// What it runs, what waits for it, and what it waits for.
    private func activity(of actor: ActorInfo) -> HTML {
        guard let calls = self.calls, !calls.isEmpty else { return .empty }
        return """
            <section aria-labelledby="calls-title"><h2 id="calls-title">Calls now</h2>
            <table><caption>Calls that run or wait, to it or made by it</caption>
            <thead><tr><th scope="col">Call</th><th scope="col">To</th><th scope="col">By</th>\
            <th scope="col" class="number">Runs for</th></tr></thead>
            <tbody>
            \(calls.html { call in
                """
                <tr><td><code>\(call.method)</code></td><td>\(call.actor == actor.id ? "it" : call.actorLabel)</td>\
                <td>\(call.callingActor == actor.id ? "it" : call.caller)</td>\
                <td class="number">\(call.runningFor.map { Parts.duration($0) } ?? "waits")</td></tr>

                """
            })</tbody></table></section>
            """
    }

    private func family(of actor: ActorInfo) -> HTML {
        guard let children = self.children, children.matching > 0 else { return .empty }
        let all = Page.actors(ActorQuery(parent: .actor(actor.id)))
        return """
            <section aria-labelledby="children-title"><h2 id="children-title">\
            \(Parts.count(children.matching, "child", "children"))</h2>
            <p><a href="\(Page.tree(TreeChoice(root: actor.id)).target)">Show the tree from here</a></p>
            <ul class="pills">\(children.actors.html(Self.pill))</ul>
            \(children.matching > children.actors.count ? "<p><a href=\"\(all.target)\">All of them</a></p>" : HTML.empty)
            </section>
            """
    }

    private static func pill(_ actor: ActorInfo) -> HTML {
        "<li>\(Parts.state(actor.state)) \(Parts.type(actor.typeName)) \(Parts.link(actor))</li>\n"
    }

    private var holders: HTML {
        guard !self.details.holders.isEmpty else { return .empty }
        return """
            <section aria-labelledby="holders-title"><h2 id="holders-title">Who has a handle</h2>
            <table><caption>Processes that have a handle to it</caption>
            <thead><tr><th scope="col">Process</th><th scope="col">Where</th><th scope="col">Actors in it</th></tr></thead>
            <tbody>
            \(self.details.holders.html { holder in
                """
                <tr><td><code>\(holder.process.description)</code></td>\
                <td>\(holder.isBroker ? "the broker, among arguments" : holder.node.map { "worker of \($0)" } ?? "a program, or not known")</td>\
                <td>\(holder.actors.isEmpty ? "–" : holder.actors.html { "\(Parts.type($0.typeName)) \(Parts.link($0)) " })\
                </td></tr>

                """
            })</tbody></table></section>
            """
    }

    // MARK: One that has ended

    private static func ended(_ end: ActorTermination) -> HTML {
        """
        <div class="heading"><h1>\(self.title(ActorDetails(termination: end)))</h1> <span class="state ended">ended</span></div>
        <p class="\(end.cause.isTrouble ? "warning" : "lead")">\(end.message)</p>
        <section class="card" aria-label="Facts"><dl class="facts">
        <div><dt>ID</dt><dd><code>\(end.actor.description)</code></dd></div>
        <div><dt>Type</dt><dd>\(end.typeName)</dd></div>
        <div><dt>Name</dt><dd>\(end.name ?? "none"), in namespace \(end.namespace)</dd></div>
        <div><dt>Cause</dt><dd>\(Parts.cause(end.cause))</dd></div>
        <div><dt>Ended</dt><dd>\(Parts.time(end.date))</dd></div>
        <div><dt>Node</dt><dd>\(end.node.isEmpty ? "none" : end.node)</dd></div>
        <div><dt>Lives</dt><dd>\(Parts.number(Int(clamping: end.incarnation)))</dd></div>
        \(end.process.map(self.process))\
        </dl></section>
        \(end.process.map(self.output))
        """
    }

    private static func process(_ end: ProcessEnd) -> HTML {
        let how: String =
            if let signal = end.signal {
                "ended by signal \(signal)"
            } else if let status = end.status {
                "exited with status \(status)"
            } else {
                "ended"
            }
        let why =
            end.isOutOfMemory
            ? ", for want of memory" : end.isUnresponsive ? ", by its node, which it did not answer" : ""
        return "<div><dt>Process</dt><dd>\(end.processID): \(how)\(why)</dd></div>\n"
    }

    private static func output(_ end: ProcessEnd) -> HTML {
        guard !end.lastOutput.isEmpty else { return .empty }
        return """
            <section aria-labelledby="output-title"><h2 id="output-title">The last lines of its process</h2>
            <pre tabindex="0">\(end.lastOutput.html { "\($0)\n" })</pre></section>
            """
    }
}

extension ActorDetails {
    /// The actor's number.
    var id: UniqueID? { self.actor?.id ?? self.termination?.actor }
}
