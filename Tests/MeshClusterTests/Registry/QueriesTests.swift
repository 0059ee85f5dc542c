import FoundationEssentials
import MeshCluster
import MeshCore
import MeshRuntime
import Testing

@Suite("Looking at the registry")
struct QueriesTests {
    private static let words = ["amber", "birch", "cedar", "dune"]

    /// A mesh with so many actors, of which every tenth has a child.
    private func mesh(_ count: Int) throws -> RegistryHarness {
        var mesh = RegistryHarness()
        for number in 0..<count {
            let word = Self.words[number % 4]
            let spec = RegistryHarness.spec(
                number % 5 == 0 ? nil : "\(word)-\(number)",
                options: ActorOptions(lifetime: number % 7 == 0 ? .detached : .owned),
                type: number % 3 == 0 ? "app.Counter" : "other.Clock")
            _ = try mesh.spawn(spec)
            guard number % 10 == 0 else { continue }
            _ = try mesh.spawn(
                RegistryHarness.spec(owner: ActorOwner(process: RegistryHarness.driver, actor: spec.id, incarnation: 1))
            )
        }
        return mesh
    }

    /// All pages of a query.
    private func all(_ query: ActorQuery, in registry: Registry) -> [ActorInfo] {
        var query = query
        var found: [ActorInfo] = []
        while true {
            let page = registry.actors(matching: query)
            #expect(page.actors.count <= query.limit)
            found += page.actors
            query.offset += query.limit
            guard query.offset < page.matching else {
                #expect(page.matching == found.count)
                return found
            }
        }
    }

    @Test("page after page shows every actor once, in every order, both ways", arguments: ActorQuery.Order.allCases)
    func paging(order: ActorQuery.Order) throws {
        let registry = try self.mesh(200).registry
        let up = self.all(ActorQuery(order: order, limit: 17), in: registry).map(\.id)
        let down = self.all(ActorQuery(order: order, isDescending: true, limit: 17), in: registry).map(\.id)
        #expect(Set(up).count == registry.entries.count)
        #expect(up.count == registry.entries.count)
        #expect(up == down.reversed())
    }

    @Test("actors without a name come after those with one")
    func names() throws {
        let actors = self.all(ActorQuery(limit: 1000), in: try self.mesh(50).registry)
        let names = actors.map(\.name)
        let first = try #require(names.firstIndex(of: nil))
        #expect(names[..<first].compactMap { $0 } == names[..<first].compactMap { $0 }.sorted())
        #expect(names[first...].allSatisfy { $0 == nil })
    }

    @Test("a query finds just those that are like it")
    func filters() throws {
        let registry = try self.mesh(200).registry
        let everybody = self.all(ActorQuery(limit: 1000), in: registry)
        func check(_ query: ActorQuery, _ isLike: (ActorInfo) -> Bool) {
            let found = Set(self.all(query, in: registry).map(\.id))
            #expect(found == Set(everybody.filter(isLike).map(\.id)))
            #expect(!found.isEmpty && found.count < everybody.count)
        }
        check(ActorQuery(text: "BIRCH")) { $0.name?.hasPrefix("birch") == true }
        check(ActorQuery(text: "clock dune")) { $0.typeName.hasSuffix("Clock") && $0.name?.hasPrefix("dune") == true }
        check(ActorQuery(text: String(everybody[3].id.description.prefix(8)))) { $0.id == everybody[3].id }
        check(ActorQuery(type: "Clock")) { $0.typeName == "other.Clock" }
        check(ActorQuery(type: "other.Clock")) { $0.typeName == "other.Clock" }
        check(ActorQuery(node: "node1")) { $0.node == "node1" }
        check(ActorQuery(parent: .nobody)) { $0.lifetime == .detached }
        check(ActorQuery(parent: .program(RegistryHarness.driver))) { $0.lifetime == .owned && $0.owner == nil }
        let parent = try #require(everybody.first { $0.children > 0 })
        check(ActorQuery(parent: .actor(parent.id))) { $0.owner == parent.id }
        #expect(registry.actors(matching: ActorQuery(type: "lock")).matching == 0)
        #expect(registry.actors(matching: ActorQuery(parent: .actor(.make()))).matching == 0)
    }

    @Test("bounds that make no sense are brought within them")
    func bounds() throws {
        let registry = try self.mesh(20).registry
        #expect(registry.actors(matching: ActorQuery(offset: -5, limit: -1)).actors.count == 1)
        #expect(registry.actors(matching: ActorQuery(offset: .max, limit: .max)).actors.isEmpty)
    }

    @Test("those that ended are found, the last first, and have their details")
    func ended() throws {
        var mesh = RegistryHarness()
        var ids: [UniqueID] = []
        for number in 0..<5 {
            let spec = RegistryHarness.spec("one-\(number)")
            _ = try mesh.spawn(spec)
            ids.append(spec.id)
        }
        for id in ids {
            mesh.note { $0.kill(id, restart: false, by: "", at: $1) }
            mesh.settle()
        }
        let page = mesh.registry.endedActors(matching: ActorQuery(offset: 1, limit: 2))
        #expect(page.terminations.map(\.name) == ["one-3", "one-2"])
        #expect(page.matching == 5 && page.total == 5)
        #expect(mesh.registry.endedActors(matching: ActorQuery(text: "one-4")).matching == 1)
        let details = try #require(mesh.registry.details(of: ids[0]))
        #expect(details.actor == nil && details.termination?.cause == .killed)
        #expect(mesh.registry.details(of: .make()) == nil)
    }

    @Test("the numbers are those of the lists")
    func overview() throws {
        let mesh = try self.mesh(200)
        let overview = mesh.registry.overview(date: mesh.moment.date, startDate: mesh.moment.date) { _ in 42 }
        let everybody = self.all(ActorQuery(limit: 1000), in: mesh.registry)
        #expect(overview.actors == everybody.count)
        #expect(overview.nodes == 2)
        #expect(overview.resources.cpus == 4)
        #expect(overview.detached == everybody.count { $0.lifetime == .detached })
        #expect(overview.programs.map(\.processID) == [42])
        #expect(overview.programs.first?.actors == everybody.count { $0.lifetime == .owned && $0.owner == nil })
        #expect(overview.types.map(\.count) == overview.types.map(\.count).sorted(by: >))
        #expect(overview.types.reduce(0) { $0 + $1.count } == everybody.count)
    }
}
