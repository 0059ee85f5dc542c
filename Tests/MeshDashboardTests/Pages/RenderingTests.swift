import ActorMesh
import Foundation
import Logging
import MeshCore
import MeshRuntime
import Synchronization
import Testing

@testable import MeshDashboard

@Suite("What pages show")
struct RenderingTests {
    private static let evil = "<script>alert('\"')</script>"

    private func content(_ page: Page, of mesh: MadeUpMesh, signedIn: Bool = false) async -> Content {
        let renderer = PageRenderer(view: MeshView(mesh, freshness: .zero), history: EventHistory())
        return await renderer.content(of: page, for: Session(id: "i", token: "t", isSignedIn: signedIn))
    }

    @Test("names, types, messages and output are text on every page")
    func escaping() async {
        let id = UniqueID(high: 1, low: 2)
        let mesh = MadeUpMesh { state in
            state.actors = [
                actor(2, name: Self.evil, type: Self.evil, children: 1), actor(3, name: Self.evil, owner: id),
            ]
            state.actors[0].waitsFor = Self.evil
            state.actors[0].node = Self.evil
            state.ended = [termination(id, name: Self.evil, message: Self.evil)]
            state.ended[0].process = ProcessEnd(processID: 1, signal: 9, lastOutput: [Self.evil])
            state.nodes = [
                NodeInfo(
                    name: Self.evil, programs: [Self.evil], processID: 1, endpoints: [Self.evil],
                    resources: Resources(cpus: 1, custom: [Self.evil: 1]), actors: 0)
            ]
            state.tasks.workers = [
                TaskListing.Worker(
                    node: Self.evil, processID: 1, submitter: PeerID(9),
                    running: [RunningTask(id: id, typeName: Self.evil, owner: nil, startDate: Date())])
            ]
            state.tasks.silentNodes = [Self.evil]
            state.records = [
                LogRecord(
                    node: Self.evil, processID: 1, source: id, sequence: 1, date: Date(), level: .info, kind: .output,
                    text: Self.evil, task: Self.evil)
            ]
        }
        let query = ActorQuery(text: Self.evil, node: Self.evil, type: Self.evil, namespace: Self.evil)
        let pages: [Page] = [
            .overview, .nodes, .actors(query), .ended(query), .actor(id), .actor(UniqueID(high: 1, low: 4)),
            .tree(TreeChoice()), .tasks, .objects, .logs(LogChoice()),
            .logs(LogChoice(actor: Self.evil, node: Self.evil, text: Self.evil)),
        ]
        for page in pages {
            let html = await self.content(page, of: mesh).html.text
            #expect(!html.contains("<script"), "\(page)")
            #expect(html.contains("&lt;script&gt;") || page == .overview || page == .objects, "\(page)")
        }
    }

    @Test("the list says what is shown of how many, and leads on and back")
    func paging() async {
        let mesh = MadeUpMesh { state in state.actors = (1...250).map { actor($0, name: "a\($0)") } }
        let first = await self.content(.actors(ActorQuery()), of: mesh).html.text
        #expect(first.contains("1–100 of 250"))
        #expect(first.contains("href=\"/actors?offset=100\" data-soft>Next"))
        #expect(first.contains("href=\"/actors?offset=200\" data-soft>Last"))
        #expect(!first.contains(">Previous</a>"))
        let last = await self.content(.actors(ActorQuery(offset: 200)), of: mesh).html.text
        #expect(last.contains("201–250 of 250"))
        #expect(last.contains(">Previous</a>"))
        #expect(!last.contains(">Next</a>"))
        #expect(
            await self.content(.actors(ActorQuery(offset: 300)), of: mesh).html.text.contains("fewer actors by now"))
    }

    @Test("the column by which the list is sorted says so, and turns it round")
    func sorting() async {
        let mesh = MadeUpMesh { $0.actors = [actor(1)] }
        let html = await self.content(.actors(ActorQuery(order: .restarts, isDescending: true)), of: mesh).html.text
        #expect(html.contains("aria-sort=\"descending\"><a href=\"/actors?order=restarts\""))
        #expect(html.contains("<a href=\"/actors?order=holders&amp;descending=yes\""))
        #expect(html.components(separatedBy: "aria-sort").count == 2)
    }

    @Test("the tree opens what there is room for, and then what was chosen")
    func tree() async {
        let root = UniqueID(high: 1, low: 2)
        let mesh = MadeUpMesh { state in
            state.actors =
                [actor(1, name: "root", children: 60)] + (2...61).map { actor($0, name: "c\($0)", owner: root) }
        }
        let closed = await self.content(.tree(TreeChoice()), of: mesh).html.text
        #expect(closed.contains("aria-expanded=\"false\""))
        #expect(!closed.contains("c2<"))
        #expect(closed.contains("href=\"/tree?open=\(root)\""))
        let open = await self.content(.tree(TreeChoice(open: [root])), of: mesh).html.text
        #expect(open.contains("aria-expanded=\"true\""))
        #expect(open.contains("c2<"))
        #expect(open.contains("aria-level=\"2\" aria-posinset=\"1\" aria-setsize=\"60\""))
        #expect(open.contains("href=\"/actors?parent=\(root)\">10 more in the list"))
        #expect(open.contains("href=\"/tree?open=.\""))
    }

    @Test("who has not signed in is not offered to kill")
    func killing() async {
        let mesh = MadeUpMesh { $0.actors = [actor(1)] }
        let page = Page.actor(UniqueID(high: 1, low: 2))
        #expect(!(await self.content(page, of: mesh).html.text.contains("/kill")))
        #expect(await self.content(page, of: mesh, signedIn: true).html.text.contains("/kill"))
    }

    @Test("while the mesh is away pages show what was known, and say so")
    func away() async {
        let mesh = MadeUpMesh { $0.actors = [actor(1, name: "known")] }
        let renderer = PageRenderer(view: MeshView(mesh, freshness: .zero), history: EventHistory())
        #expect(await renderer.content(of: .actors(ActorQuery()), for: nil).isOld == false)
        mesh.change { $0.failure = MeshError(.brokerUnavailable, "The broker is away.") }
        let old = await renderer.content(of: .actors(ActorQuery()), for: nil)
        #expect(old.isOld)
        #expect(old.html.text.contains("does not answer") && old.html.text.contains(">known<"))
        #expect(old.html.text.contains("The broker is away."))
        let never = await renderer.content(of: .tasks, for: nil)
        #expect(never.isOld && never.html.text.contains("nothing to show until"))
        mesh.change { $0.failure = nil }
        #expect(await renderer.content(of: .actors(ActorQuery()), for: nil).isOld == false)
    }

    @Test("many who look at the same ask the mesh once")
    func sharing() async {
        let mesh = MadeUpMesh()
        let view = MeshView(mesh, freshness: .seconds(3600))
        for _ in 0..<10 { _ = await view.overview() }
        #expect(mesh.state.withLock { $0.questions } == 1)
        for offset in 0..<500 { _ = await view.actors(matching: ActorQuery(offset: offset)) }
        #expect(mesh.state.withLock { $0.questions } == 501)
    }

    @Test("numbers are written for people")
    func numbers() {
        #expect(Parts.number(0) == "0")
        #expect(Parts.number(-1_234_567) == "-1,234,567")
        #expect(Parts.number(999) == "999")
        #expect(Parts.number(2.5) == "2.5")
        #expect(Parts.number(0.125) == "0.13")
        #expect(Parts.number(3.0) == "3")
        #expect(Parts.number(Double.infinity) == "–")
        #expect(Parts.count(1, "actor") == "1 actor")
        #expect(Parts.count(2, "child", "children") == "2 children")
        #expect(Parts.words(for: Date(timeIntervalSince1970: 1_800_000_000)) == "2027-01-15 08:00:00 UTC")
    }
}
