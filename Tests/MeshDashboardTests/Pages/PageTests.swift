import ActorMesh
import Logging
import MeshCore
import MeshRuntime
import Testing

@testable import MeshDashboard

@Suite("Pages and their addresses")
struct PageTests {
    private static let id = UniqueID(high: 7, low: 12)

    static let pages: [Page] = [
        .overview, .nodes, .tasks, .objects, .actor(id), .tree(TreeChoice()), .tree(TreeChoice(root: id, open: [])),
        .tree(TreeChoice(open: [id, UniqueID(high: 7, low: 14)])), .actors(ActorQuery()),
        .ended(ActorQuery(text: "a b", offset: 100)),
        .actors(
            ActorQuery(
                text: "ä&=", states: [.alive, .pending], node: "one", type: "app.Counter", namespace: "default",
                parent: .program(PeerID(99)), order: .restarts, isDescending: true, offset: 200, limit: 50)),
        .logs(LogChoice()),
        .logs(
            LogChoice(
                actor: "a*", task: "b", node: "one", level: .warning, text: "ä&=", incarnation: 3, since: "5m",
                until: "2027-01-15T08:00:00Z", limit: 50)),
        .actors(ActorQuery(parent: .nobody)), .actors(ActorQuery(parent: .actor(id))),
    ]

    @Test("an address leads to the page that has it", arguments: pages)
    func roundTrip(page: Page) {
        let parts = page.target.text.split(separator: "?", maxSplits: 1)
        let path = parts[0].split(separator: "/").map(String.init)
        var reader = ParameterReader(QueryParameters(parts.count > 1 ? parts[1] : ""))
        #expect(Page(path: path, &reader) == page)
        #expect(reader.problems.isEmpty)
    }

    @Test("there are no other pages", arguments: [["x"], ["actors", "x"], ["actors", "1", "2"], ["nodes", "one"]])
    func unknown(path: [String]) {
        var reader = ParameterReader(QueryParameters())
        #expect(Page(path: path, &reader) == nil)
    }

    private func problems(_ path: String, _ query: String) -> [String] {
        var reader = ParameterReader(QueryParameters(query))
        _ = Page(path: [path], &reader)
        return reader.problems.map(\.text)
    }

    @Test(
        "what makes no sense in an address is named, with what it may be",
        arguments: [
            ("actors", "state=dead", "takes pending, starting, alive, restarting or ending, not \"dead\"."),
            ("actors", "state=alive&state=ALIVE", "state takes"), ("actors", "order=size", "order takes name, type,"),
            ("actors", "offset=-5", "offset takes a whole number from 0 up"), ("actors", "offset=1.5", "offset takes"),
            ("actors", "limit=0", "limit takes a whole number from 1 up"), ("actors", "limit=+1", "limit takes"),
            ("actors", "parent=program-xyz", "parent takes the 32 hexadecimal digits"),
            ("actors", "parent=x", "nobody"),
            ("actors", "descending=1", "descending takes yes or no"), ("tree", "root=7", "root takes the 32"),
            ("logs", "level=loud", "takes trace, debug, info, notice, warning, error or critical, not \"loud\"."),
            ("logs", "incarnation=x", "incarnation takes a life"), ("logs", "incarnation=-1", "incarnation takes"),
            ("logs", "incarnation=0", "incarnation takes"), ("logs", "limit=x", "limit takes"),
            ("logs", "since=bogus", "since takes a time ago, such as 30s, 5m, 2h or 7d, or a date such as"),
            ("logs", "since=5", "since takes"), ("logs", "since=m", "since takes"),
            ("logs", "since=-5m", "since takes"),
            ("logs", "since=5y", "since takes"), ("logs", "until=soon", "until takes a time ago"),
        ])
    func nonsense(path: String, query: String, problem: String) throws {
        let found = self.problems(path, query)
        #expect(found.count == 1)
        #expect(try #require(found.first).contains(problem))
    }

    @Test("what an address says in other words is understood, and too much is cut")
    func leniency() {
        #expect(self.problems("logs", "level=WARNING&since=&until=2027-01-15T08:00:00.250Z&limit=5000").isEmpty)
        #expect(self.problems("actors", "state=&order=&parent=&descending=no&limit=99999999999999999999").isEmpty)
        #expect(self.problems("tree", "open=a.b").isEmpty)
        var reader = ParameterReader(QueryParameters("limit=99999999999999999999"))
        #expect(ActorQuery(&reader).limit == ActorQuery.maximumLimit)
        reader = ParameterReader(QueryParameters("level=WARNING&limit=5000"))
        #expect(LogChoice(&reader) == LogChoice(level: .warning, limit: LogChoice.maximumLimit))
        reader = ParameterReader(QueryParameters("open=a.b"))
        #expect(TreeChoice(&reader) == TreeChoice(open: []))
    }
}
