import ActorMesh
import ArgumentParser
import FoundationEssentials
import MeshCore
import MeshRuntime
import Testing

@testable import MeshCommand

/// What `mesh why` concludes from what it knows.
@Suite struct DiagnosisTests {
    private static let id = UniqueID(high: 7, low: 0x1fcc_75b5_0000_0000)
    private static let other = UniqueID(high: 7, low: 0x2fcc_75b5_0000_0000)

    private static func info(_ state: ActorInfo.State, waitsFor: String? = nil) -> ActorInfo {
        ActorInfo(
            id: self.id, typeName: "bank.Account", name: "savings", namespace: "default", state: state, node: "alpha",
            processID: 47, incarnation: 2, placement: .process, lifetime: .owned, ownerProcess: PeerID(5), restarts: 1,
            holders: 12, waitsFor: waitsFor)
    }

    private static func statistics(waiting: Int = 0, running: Int = 0) -> ActorStatistics {
        var latencies = LatencyHistogram()
        latencies.record(nanoseconds: 2_000_000)
        return ActorStatistics(
            id: self.id, typeName: "bank.Account", name: "savings", incarnation: 2, calls: 1, failures: 0,
            running: running, waiting: waiting, busy: .milliseconds(2), latencies: latencies)
    }

    private static func call(
        _ method: String, of actor: UniqueID = id, for duration: Duration?, by caller: UniqueID? = nil
    ) -> CallInfo {
        CallInfo(
            actor: actor, actorLabel: actor == self.id ? "Account \"savings\"" : "Ledger", method: method,
            runningFor: duration, caller: "process 4", callingActor: caller)
    }

    @Test("a pending actor waits for what the broker says, a dead one tells its cause, a busy one what holds it up")
    func verdicts() {
        var diagnosis = ActorDiagnosis(
            details: ActorDetails(actor: Self.info(.pending, waitsFor: "no node has 2 GPUs free")), statistics: nil,
            calls: [])
        #expect(diagnosis.verdict == "It waits to be placed: no node has 2 GPUs free")

        diagnosis.details = ActorDetails(
            termination: ActorTermination(
                actor: Self.id, typeName: "bank.Account", name: "savings", namespace: "default", incarnation: 2,
                cause: .processCrashed, message: "Its process ended by SIGSEGV.", node: "alpha", date: .now))
        #expect(diagnosis.verdict == "It has ended (processCrashed): Its process ended by SIGSEGV.")

        diagnosis.details = ActorDetails(actor: Self.info(.alive))
        #expect(diagnosis.verdict.contains("did not answer"))
        diagnosis.statistics = Self.statistics()
        #expect(diagnosis.verdict == "It is well, and has nothing to do.")

        diagnosis.statistics = Self.statistics(waiting: 3, running: 1)
        diagnosis.calls = [Self.call("Account.deposit(_:)", for: .milliseconds(10))]
        #expect(diagnosis.verdict == "It is well, and at work.")
        diagnosis.calls = [Self.call("Account.deposit(_:)", for: .seconds(12))]
        #expect(
            diagnosis.verdict
                == "It is busy: Account.deposit(_:) has run for 12.0 s, awaits no other actor, and 3 calls wait behind it."
        )
        diagnosis.calls.append(Self.call("Ledger.append(_:)", of: Self.other, for: nil, by: Self.id))
        #expect(diagnosis.verdict.contains("awaits Ledger.append(_:) of Ledger, and 3 calls wait"))
    }

    @Test("of those that have ended the last of the name is meant, or the only one whose ID begins so")
    func ended() throws {
        func termination(_ id: UniqueID, _ name: String?, _ namespace: String, _ time: Double) -> ActorTermination {
            ActorTermination(
                actor: id, typeName: "bank.Account", name: name, namespace: namespace, incarnation: 1, cause: .killed,
                message: "", node: "alpha", date: Date(timeIntervalSince1970: time))
        }
        let third = UniqueID(high: 8, low: 0x1fcc_75b5_0000_0000)
        let ended = [
            termination(Self.id, "savings", "default", 1), termination(third, "savings", "default", 2),
            termination(Self.other, "other", "staging", 3),
        ]
        func choose(_ text: String) throws -> UniqueID? {
            try ActorChoice(text, namespace: "default").choose(from: ended)
        }
        #expect(try choose("savings") == third)
        #expect(try choose("other") == nil)
        #expect(try choose(Self.other.description) == Self.other)
        #expect(try choose("") == nil)
        #expect(try choose("1fc") == nil)
        let error = #expect(throws: MeshError.self) { try choose("1fcc75b5") }
        #expect(error?.message.contains("Give more digits") == true)
    }

    @Test("each command has examples in its help")
    func examples() {
        for command in MeshCommand.configuration.subcommands where command.configuration.shouldDisplay {
            let help = MeshCommand.helpMessage(for: command)
            #expect(help.contains("Example"), "\(command)")
        }
    }

    @Test("a line is cut to its columns, whatever colours it has")
    func cuts() {
        #expect(TopView.cut("\u{1b}[1mACTOR  NODE\u{1b}[0m", to: 8) == "\u{1b}[1mACTOR  …\u{1b}[0m")
        #expect(TopView.cut("\u{1b}[1mACTOR\u{1b}[0m", to: 5) == "\u{1b}[1mACTOR\u{1b}[0m")
        #expect(TopView.cut("ACTOR", to: 4) == "ACT…")
        #expect(count(2, "process") == "2 processes" && count(1, "process") == "1 process")
    }

    @Test("everything about it is in the rows, and what does not fit is counted")
    func rows() {
        let holders = (0..<11).map {
            ActorDetails.Holder(process: PeerID(UInt64($0) + 1), node: $0 == 0 ? "alpha" : nil)
        }
        let diagnosis = ActorDiagnosis(
            details: ActorDetails(actor: Self.info(.alive), holders: holders, maxRestarts: 3),
            statistics: Self.statistics(), calls: [])
        let lines = DiagnosisRow.lines(diagnosis)
        #expect(lines[0] == "Account \"savings\" (1fcc75b5)  alive")
        #expect(lines.contains { $0.contains("lives") && $0.contains("process 47 on alpha, life 2") })
        #expect(lines.contains { $0.contains("restarts") && $0.contains("1 of at most 3") })
        #expect(lines.contains { $0.contains("held by") && $0.contains("a worker of alpha") })
        #expect(lines.contains { $0.hasSuffix("and 2 more") })
        #expect(
            lines.contains { $0.contains("calls") && $0.contains("1 in this life, 0 failed; half ran for at most") })
        #expect(lines.contains { $0.contains("mailbox") && $0.contains("nothing") })
    }

    @Test(
        "durations and numbers have three digits",
        arguments: [
            (Duration.nanoseconds(1_500), "1.50 µs"), (.microseconds(780), "780 µs"), (.milliseconds(45), "45.0 ms"),
            (.milliseconds(12_345), "12.3 s"), (.seconds(4000), "4000 s"), (.zero, "0.00 µs"),
        ])
    func durations(_ duration: Duration, _ text: String) { #expect(duration.text == text) }
}

/// What `mesh top` makes of two looks.
@Suite struct TopViewTests {
    private static func look(at seconds: Double, calls: [(UInt64, UInt64)], processor: Double) -> MeshStatistics {
        let actors = calls.enumerated().map { index, counts in
            ActorStatistics(
                id: UniqueID(high: 1, low: UInt64(index)), typeName: "app.Counter", name: "counter-\(index)",
                incarnation: counts.1, calls: counts.0, failures: 0, running: 0, waiting: index, busy: .zero,
                latencies: LatencyHistogram())
        }
        return MeshStatistics(
            date: Date(timeIntervalSince1970: seconds),
            processes: [
                ProcessStatistics(
                    peer: PeerID(1), processID: 11, role: .worker, node: "alpha", processorTime: .seconds(processor),
                    residentBytes: 8 << 20, bytesSent: 0, bytesReceived: 0, reconnects: 0, messagesRejected: 0,
                    connectionsCut: 0, keysRefused: 0, callsOutstanding: 0, tasks: 0, actors: actors)
            ], silent: [])
    }

    @Test("rates are what was added between two looks, by the time between them; another life begins anew")
    func rates() {
        let earlier = Self.look(at: 100, calls: [(10, 1), (50, 1)], processor: 1)
        let view = TopView(Self.look(at: 102, calls: [(30, 1), (8, 2)], processor: 2), since: earlier)
        #expect(view.rows.map(\.label) == ["Counter \"counter-0\"", "Counter \"counter-1\""])
        #expect(view.rows.map(\.callsPerSecond) == [10, 4])
        #expect(view.rows[0].processor == 0.5)
        #expect(view.summary.callsPerSecond == 14)
        #expect(TopView(earlier, since: nil).rows.allSatisfy { $0.callsPerSecond == 0 })
        #expect(TopView(earlier, since: nil, by: .mailbox).rows.first?.label == "Counter \"counter-1\"")
    }

    @Test("what does not fit on the screen is counted, and no line is longer than it is wide")
    func fits() {
        let look = Self.look(at: 1, calls: Array(repeating: (1, 1), count: 50), processor: 0)
        let lines = TopView(look, since: nil).lines(height: 12, width: 60)
        #expect(lines.count <= 12)
        #expect(lines.allSatisfy { $0.count <= 60 })
        #expect(lines.last == "and 42 actors more")
        #expect(TopView(look, since: nil).lines().count == 53)
    }
}
