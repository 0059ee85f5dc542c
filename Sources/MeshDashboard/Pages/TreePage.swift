import ActorMesh
import MeshCore
import MeshRuntime

/// Which actor spawned which, drawn as a tree that opens and closes.
struct TreePage {
    var choice: TreeChoice
    var tree: ActorTree
    /// The actor with which the tree begins, when it does not begin at the top.
    var root: ActorInfo?
    var total: Int

    var html: HTML {
        """
        <h1>Tree</h1>
        <p class="lead">An actor ends with the one that spawned it, unless it is detached.\(self.beginning)</p>
        \(self.tree.roots.isEmpty ? Parts.nothing("No actors live in this mesh.") : self.tree.roots.html(self.root))
        \(self.more)
        """
    }

    private var beginning: HTML {
        guard let root else { return .empty }
        return """
             This is what \(Parts.type(root.typeName)) \(Parts.link(root)) spawned. \
            <a href="\(Page.tree(TreeChoice()).target)">Show the whole tree</a>
            """
    }

    private var more: HTML {
        self.tree.moreRoots == 0
            ? .empty : "<p class=\"note\">\(Parts.count(self.tree.moreRoots, "more program")) spawned actors.</p>"
    }

    private func root(_ root: ActorTree.Root) -> HTML {
        let title: HTML =
            switch root.parent {
            case .nobody: "<span class=\"kind\">Detached</span> <span class=\"note\">they end with nobody</span>"
            case .program(let process): Self.program(process, root.program)
            case .actor(let id): self.root.map { Self.label($0) } ?? "<code>\(id.description)</code>"
            }
        let label = self.name(of: root)
        return """
            <section class="tree">
            <h2 class="root">\(title) <span class="count">\(Parts.number(root.branch.count))</span></h2>
            <ul role="tree" aria-label="\(label)">
            \(self.items(of: root.branch, of: root.parent, level: 1))</ul>
            </section>

            """
    }

    private func name(of root: ActorTree.Root) -> String {
        switch root.parent {
        case .nobody: "Detached actors"
        case .program(let process): "Actors of program \(process)"
        case .actor: "Actors below"
        }
    }

    private static func program(_ process: PeerID, _ program: MeshOverview.Program?) -> HTML {
        let place = program.map { program in
            let number = program.processID == 0 ? "" : "process \(program.processID)"
            return program.node.map { "\(number) on \($0)" } ?? number
        }
        return """
            <span class="kind">Program</span> <code>\(process.description)</code> <span class="note">\(place ?? "")</span>
            """
    }

    private func items(of branch: ActorTree.Branch, of parent: ActorQuery.Parent, level: Int) -> HTML {
        var items = HTML.empty
        for (index, actor) in branch.actors.enumerated() {
            items += self.item(actor, level: level, index: index, count: branch.count)
        }
        let hidden = branch.count - branch.actors.count
        guard hidden > 0 else { return items }
        return items + """
            <li role="none" class="rest"><a href="\(Page.actors(ActorQuery(parent: parent)).target)">\
            \(Parts.number(hidden)) more in the list</a></li>

            """
    }

    private func item(_ actor: ActorTree.Actor, level: Int, index: Int, count: Int) -> HTML {
        let info = actor.info
        let expanded: HTML =
            info.children == 0 ? "" : actor.children == nil ? " aria-expanded=\"false\"" : " aria-expanded=\"true\""
        return """
            <li role="treeitem" id="t\(info.id.description)" aria-level="\(level)" aria-posinset="\(index + 1)" \
            aria-setsize="\(count)" tabindex="\(level == 1 && index == 0 ? 0 : -1)"\(expanded)>\
            <div class="twig">\(self.toggle(actor))\(Self.label(info))</div>
            \(actor.children.map { children in
                """
                <ul role="group">
                \(self.items(of: children, of: .actor(info.id), level: level + 1))</ul>

                """ as HTML
            })</li>

            """
    }

    /// The way to the same tree with one actor opened or closed.
    private func toggle(_ actor: ActorTree.Actor) -> HTML {
        let id = actor.info.id
        guard actor.info.children > 0 else { return "<span class=\"leaf\"></span>" }
        let isOpen = actor.children != nil
        var choice = self.choice
        choice.open = isOpen ? self.tree.open.filter { $0 != id } : self.tree.open + [id]
        let word: HTML = isOpen ? "Close" : "Open"
        return """
            <a class="toggle" href="\(Page.tree(choice).target)" data-soft aria-label="\(word) \
            \(shortName(ofType: actor.info.typeName)) \(actor.info.name ?? actor.info.id.short)"></a>
            """
    }

    private static func label(_ info: ActorInfo) -> HTML {
        let place = info.processID == 0 ? "" : "\(info.node) · \(info.processID)"
        return """
            <span class="actor">\(Parts.state(info.state))<span class="type">\(Parts.type(info.typeName))</span> \
            \(Parts.link(info))\
            \(info.children > 0 ? "<span class=\"count\">\(Parts.number(info.children))</span>" : HTML.empty)\
            \(info.restarts > 0 ? "<span class=\"note some\">restarted \(Parts.number(info.restarts))×</span>" : HTML.empty)\
            <span class="note place">\(place)</span></span>
            """
    }
}
