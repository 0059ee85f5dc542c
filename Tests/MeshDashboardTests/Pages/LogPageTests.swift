import ActorMesh
import Foundation
import Logging
import MeshCore
import MeshRuntime
import Synchronization
import Testing

@testable import MeshDashboard

@Suite("What pages show of the log")
struct LogPageTests {
    private static let counter = LogRecord.Actor(
        typeName: "app.Counter", name: "count", id: UniqueID(high: 1, low: 2), incarnation: 1)

    private func html(_ page: Page, of mesh: MadeUpMesh, tail: LogTail? = nil) async -> String {
        let renderer = PageRenderer(view: MeshView(mesh, freshness: .zero), history: EventHistory())
        return await renderer.content(of: page, for: nil, tail: tail).html.text
    }

    @Test("what is said is text, whatever it holds")
    func hostile() async {
        let mesh = MadeUpMesh { state in
            state.records = [
                record(1, "</li><script>alert(1)</script>", metadata: ["<b>": "\" onclick=\"x"]),
                record(2, "\u{1b}[31;1mred\u{1b}[0m \u{7}bell\u{0} \u{9b}31m \u{1b}]0;title\u{7}"),
                record(3, "left \u{202e}thgir\u{202c} \u{2066}x\u{2069}"),
                record(4, "first\r\nevent: content\ndata: <b>"),
            ]
        }
        let html = await self.html(.logs(LogChoice()), of: mesh)
        #expect(!html.contains("<script") && !html.contains("<b>") && !html.contains("onclick=\"x"))
        #expect(html.contains("&lt;/li&gt;&lt;script&gt;") && html.contains("&lt;b&gt;=&quot; onclick=&quot;x"))
        #expect(html.contains(">red \u{fffd}bell\u{fffd} \u{fffd}31m"))
        #expect(html.contains("left \u{fffd}thgir\u{fffd} \u{fffd}x\u{fffd}"))
        for scalar in html.unicodeScalars {
            #expect(scalar.properties.generalCategory != .control || "\n\r\t".unicodeScalars.contains(scalar))
        }
        // As an event of a stream, a line of it begins nothing of its own.
        let lines = LiveStreams.event("content", html).split(whereSeparator: \.isNewline)
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("data: ") })
    }

    @Test(
        "colours of a terminal are left out, and nothing else is",
        arguments: [
            ("\u{1b}[1;31mred\u{1b}[m", "red"), ("\u{1b}[", "\u{1b}["), ("\u{1b}[12", "\u{1b}[12"),
            ("\u{1b}x", "\u{1b}x"),
            ("\u{1b}[\u{1b}[2Kä", "\u{1b}[ä"), ("plain [31m", "plain [31m"),
        ])
    func colours(text: String, plain: String) { #expect(LogList.plain(text) == plain) }

    @Test("a text that is very long is cut")
    func long() async {
        let mesh = MadeUpMesh { $0.records = [record(1, String(repeating: "x", count: 1_000_000))] }
        let html = await self.html(.logs(LogChoice()), of: mesh)
        #expect(html.utf8.count < 20_000)
        #expect(html.contains("996,000 more characters"))
    }

    @Test("gaps say once how many records are missing, crashes stand out, actors are linked")
    func kinds() async {
        let mesh = MadeUpMesh { state in
            state.records = [
                record(9, "1234 records are missing: no room", level: .warning, kind: .gap, dropped: 1234),
                record(10, "killed by signal 9", level: .critical, kind: .crash, actor: Self.counter),
                record(11, "step", task: "app.Simulate"),
            ]
        }
        let html = await self.html(.logs(LogChoice()), of: mesh)
        #expect(html.contains(">1234 records are missing: no room<"))
        #expect(html.components(separatedBy: "missing").count == 2)
        #expect(html.contains("class=\"is-critical\""))
        #expect(html.contains("href=\"/actors/\(Self.counter.id)\""))
        #expect(html.contains("Counter count</a>") && html.contains("Simulate <span"))
        #expect(html.contains("datetime=\"2027-01-15T08:00:00.250Z\""))
    }

    @Test("everything that can be chosen gets to the mesh, with a limit")
    func choosing() async throws {
        let address =
            "actor=a*&task=Sim*&node=two&level=warning&text=a%20b&since=5m&until=2027-01-15T08:00:00Z&incarnation=3"
            + "&limit=99999999"
        var reader = ParameterReader(QueryParameters(address))
        let page = try #require(Page(path: ["logs"], &reader))
        #expect(reader.problems.isEmpty)
        let mesh = MadeUpMesh()
        let html = await self.html(page, of: mesh)
        let query = try #require(mesh.state.withLock { $0.queries.last })
        #expect(query.actor == "a*" && query.task == "Sim*" && query.node == "two" && query.level == .warning)
        #expect(query.text == "a b" && query.incarnation == 3 && query.limit == LogChoice.maximumLimit)
        let age = try #require(query.since).timeIntervalSinceNow
        #expect((-400 ... -300).contains(age))
        #expect(query.until == Date(timeIntervalSince1970: 1_800_000_000))
        #expect(html.contains("No record is like that."))
        // The form shows it, and keeps what it has no field for.
        #expect(
            html.contains("value=\"Sim*\"") && html.contains("name=\"since\" type=\"text\" class=\"time\" value=\"5m\"")
        )
        #expect(html.contains("name=\"until\" type=\"text\" class=\"time\" value=\"2027-01-15T08:00:00Z\""))
        #expect(html.contains("type=\"hidden\" name=\"incarnation\" value=\"3\""))
        #expect(html.contains("<option value=\"two\" selected>"))
    }

    @Test("the page shows nothing that was said after the end that was chosen")
    func until() async throws {
        let mesh = MadeUpMesh { $0.records = [record(1, "early")] }
        let choice = LogChoice(until: "2027-01-15T07:00:00Z")
        #expect(!(await self.html(.logs(choice), of: mesh).contains(">early<")))
        #expect(await self.html(.logs(LogChoice(until: "2027-01-15T09:00:00Z")), of: mesh).contains(">early<"))
    }

    @Test("while the broker is away the lines that were known stay, and the page says so")
    func away() async {
        let mesh = MadeUpMesh { $0.records = [record(1, "known")] }
        let renderer = PageRenderer(view: MeshView(mesh, freshness: .zero), history: EventHistory())
        let tail = LogTail(LogChoice())
        _ = await renderer.content(of: .logs(LogChoice()), for: nil, tail: tail)
        mesh.change { $0.failure = MeshError(.brokerUnavailable, "The broker is away.") }
        for each in [nil, tail] {
            let content = await renderer.content(of: .logs(LogChoice()), for: nil, tail: each)
            #expect(content.isOld)
            #expect(content.html.text.contains("does not answer") && content.html.text.contains(">known<"))
        }
        let never = await renderer.content(of: .logs(LogChoice(text: "new")), for: nil)
        #expect(never.isOld && never.html.text.contains("nothing to show until"))
    }

    @Test("a search that takes too long says how to make it shorter")
    func slow() async {
        let mesh = MadeUpMesh { $0.failure = MeshError(.deadlineExceeded, "It took too long.") }
        let html = await self.html(.logs(LogChoice(text: "rare")), of: mesh)
        #expect(html.contains("Choose an actor, a node or a time"))
    }

    @Test("an actor's page shows what it said, what it did and how long that took; also after its end")
    func actorPage() async {
        let counter = actor(1, name: "count")
        let mesh = MadeUpMesh { state in
            state.actors = [counter]
            state.records = [record(1, "mine", actor: Self.counter), record(2, "another's")]
            state.statistics = [figures(of: counter, calls: 1200, failures: 7)]
            state.calls = [
                CallInfo(
                    actor: counter.id, actorLabel: "", method: "Counter.<add>", runningFor: .milliseconds(20),
                    caller: "process 9", callingActor: nil)
            ]
        }
        let html = await self.html(.actor(counter.id), of: mesh)
        #expect(html.contains(">mine<") && !html.contains("another"))
        #expect(html.contains("href=\"/logs?actor=\(counter.id)\""))
        #expect(html.contains("Calls</span> <strong>1,200<") && html.contains("Failed</span> <strong>7<"))
        #expect(html.contains("99 %</span> <strong>3.") && html.contains("Counter.&lt;add&gt;"))
        mesh.change { state in
            state.actors = []
            state.ended = [termination(counter.id, name: "count")]
        }
        #expect(await self.html(.actor(counter.id), of: mesh).contains(">mine<"))
    }

    @Test("the list of actors has their figures, unless there are very many")
    func columns() async {
        let counter = actor(1, name: "count")
        let mesh = MadeUpMesh { state in
            state.actors = [counter, actor(2)]
            state.statistics = [figures(of: counter, calls: 1200, failures: 7)]
        }
        let html = await self.html(.actors(ActorQuery()), of: mesh)
        #expect(html.contains("<td class=\"number\">1,200</td><td class=\"number some\">7</td>"))
        mesh.change { $0.actors = (0...UInt64(ActorsPage.statisticsLimit)).map { actor($0) } }
        #expect(!(await self.html(.actors(ActorQuery()), of: mesh).contains("1,200")))
    }

    // MARK: The tail

    @Test("a tail has each record once, the newest last, and counts what passed unseen")
    func tail() {
        let tail = LogTail(LogChoice(limit: 10))
        #expect(tail.look() == nil)
        tail.begin(with: (1...5).map { record($0, "\($0)") })
        for number in 1...8 as ClosedRange<UInt64> { tail.add(record(number, "\(number)")) }
        #expect(tail.look()?.records.map(\.sequence) == Array(1...8))
        #expect(tail.look()?.passed == 0)
        for number in 9...108 as ClosedRange<UInt64> { tail.add(record(number, "\(number)")) }
        let window = tail.look()
        #expect(window?.records.map(\.sequence) == Array(99...108))
        #expect(window?.passed == 90)
        // Nothing new: the same again, so that nothing is sent.
        #expect(tail.look()?.number == window?.number && tail.look()?.passed == 90)
        tail.add(record(109, "109"))
        #expect(tail.look()?.passed == 0)
    }

    @Test("a tail of very many sources does not grow without end")
    func manySources() {
        let tail = LogTail(LogChoice(limit: 10))
        for number in 1...20_000 as ClosedRange<UInt64> {
            var each = record(1, "x")
            each.source = UniqueID(high: 9, low: number)
            tail.add(each)
        }
        #expect(tail.look()?.records.count == 10 && tail.look()?.passed == 19_990)
    }
}
