import ActorMesh
import MeshCore

/// As much of the tree of actors as is shown: what is closed is not asked for.
struct ActorTree: Sendable, Hashable {
    /// Who stands at the top: a program, nobody for detached actors, or an actor.
    struct Root: Sendable, Hashable {
        var parent: ActorQuery.Parent
        var program: MeshOverview.Program?
        var branch: Branch
    }

    /// Actors that one spawned.
    struct Branch: Sendable, Hashable {
        var actors: [Actor]
        /// How many there are, of which `actors` are the first.
        var count: Int
    }

    struct Actor: Sendable, Hashable {
        var info: ActorInfo
        /// Its children; nil when they are closed.
        var children: Branch?
    }

    var roots: [Root]
    /// Whose children are shown.
    var open: [UniqueID]
    /// How many roots there are that are not shown.
    var moreRoots: Int = 0

    /// So many children of one actor are shown; the others are in the list of actors.
    static let childLimit = 50
    static let rootLimit = 20
    /// So many actors are shown below the others before anybody has opened or closed anything.
    private static let room = 40

    /// Grows the tree that was chosen.
    ///
    /// - Parameter children: asks for the actors that somebody spawned; nil when the mesh does not say.
    init?(
        _ choice: TreeChoice, programs: [MeshOverview.Program], detached: Int,
        children: (ActorQuery.Parent) async -> ActorPage?
    ) async {
        var parents: [(ActorQuery.Parent, MeshOverview.Program?)] = []
        if let root = choice.root {
            parents = [(.actor(root), nil)]
        } else {
            if detached > 0 { parents.append((.nobody, nil)) }
            parents += programs.map { (.program($0.process), $0) }
        }
        self.roots = []
        self.open = choice.open ?? []
        self.moreRoots = max(0, parents.count - Self.rootLimit)
        for (parent, program) in parents.prefix(Self.rootLimit) {
            guard let page = await children(parent) else { return nil }
            self.roots.append(
                Root(
                    parent: parent, program: program,
                    branch: Branch(actors: page.actors.map { Actor(info: $0) }, count: page.matching)))
        }
        if choice.open == nil { await self.openToRoom(children) } else { await self.openChosen(children) }
    }

    /// Opens what was chosen, wherever it is in the tree.
    private mutating func openChosen(_ children: (ActorQuery.Parent) async -> ActorPage?) async {
        let chosen = Set(self.open)
        for index in self.roots.indices {
            await Self.grow(&self.roots[index].branch, depth: 0, children) { chosen.contains($0.id) }
        }
    }

    private static func grow(
        _ branch: inout Branch, depth: Int, _ children: (ActorQuery.Parent) async -> ActorPage?,
        _ isOpen: (ActorInfo) -> Bool
    ) async {
        for index in branch.actors.indices {
            let info = branch.actors[index].info
            guard info.children > 0, isOpen(info), let page = await children(.actor(info.id)) else { continue }
            var below = Branch(actors: page.actors.map { Actor(info: $0) }, count: page.matching)
            // Deeper than anybody spawns, and no deeper than a page can be nested.
            if depth < 50 { await Self.grow(&below, depth: depth + 1, children, isOpen) }
            branch.actors[index].children = below
        }
    }

    /// Opens level after level while there is room on the page.
    private mutating func openToRoom(_ children: (ActorQuery.Parent) async -> ActorPage?) async {
        var shown = 0
        var level = self.roots.flatMap(\.branch.actors).map(\.info)
        var opened: [UniqueID: Branch] = [:]
        while !level.isEmpty {
            let wanted = level.filter { $0.children > 0 }
            let size = wanted.reduce(0) { $0 + min($1.children, Self.childLimit) }
            guard !wanted.isEmpty, shown + size <= Self.room, self.open.count + wanted.count <= TreeChoice.limit else {
                break
            }
            shown += size
            level = []
            for actor in wanted {
                guard let page = await children(.actor(actor.id)) else { continue }
                opened[actor.id] = Branch(actors: page.actors.map { Actor(info: $0) }, count: page.matching)
                self.open.append(actor.id)
                level += page.actors
            }
        }
        for index in self.roots.indices { Self.place(opened, in: &self.roots[index].branch) }
    }

    private static func place(_ opened: [UniqueID: Branch], in branch: inout Branch) {
        for index in branch.actors.indices {
            guard var below = opened[branch.actors[index].info.id] else { continue }
            self.place(opened, in: &below)
            branch.actors[index].children = below
        }
    }
}
