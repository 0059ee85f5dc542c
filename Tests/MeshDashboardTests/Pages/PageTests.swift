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
                limit: 50)),
        .actors(ActorQuery(parent: .nobody)), .actors(ActorQuery(parent: .actor(id))),
    ]

    @Test("an address leads to the page that has it", arguments: pages)
    func roundTrip(page: Page) {
        let parts = page.target.text.split(separator: "?", maxSplits: 1)
        let path = parts[0].split(separator: "/").map(String.init)
        #expect(Page(path: path, QueryParameters(parts.count > 1 ? parts[1] : "")) == page)
    }

    @Test("there are no other pages", arguments: [["x"], ["actors", "x"], ["actors", "1", "2"], ["nodes", "one"]])
    func unknown(path: [String]) { #expect(Page(path: path, QueryParameters()) == nil) }

    @Test("what makes no sense in an address is as if it were not there")
    func nonsense() {
        let query = ActorQuery(
            QueryParameters(
                "state=dead&order=size&offset=-5&limit=99999999999999999999&parent=program-xyz&descending=1"))
        #expect(query == ActorQuery())
        #expect(ActorQuery(QueryParameters("limit=5000")).limit == ActorQuery.maximumLimit)
        #expect(LogChoice(QueryParameters("level=loud&incarnation=-1&since=9y&limit=x")) == LogChoice())
        #expect(TreeChoice(QueryParameters("root=7&open=a.b")) == TreeChoice(open: []))
    }
}
