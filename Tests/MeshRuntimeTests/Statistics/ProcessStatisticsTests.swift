import MeshCore
import Testing

@testable import MeshRuntime

/// B4: what a process says of itself, by the key that it has.
@Suite("B4: what processes say of themselves") struct ProcessStatisticsTests {
    private static func lie(of peer: PeerID) -> ProcessStatistics {
        let actor = ActorStatistics(
            id: UniqueID(high: 1, low: 2), typeName: "app.Counter", name: "one", incarnation: 1, calls: .max,
            failures: 0,
            running: .max, waiting: .max, busy: .zero, latencies: LatencyHistogram())
        return ProcessStatistics(
            peer: peer, processID: 1, role: .broker, node: "alpha",
            processorTime: Duration(secondsComponent: .max, attosecondsComponent: 0), residentBytes: .max,
            bytesSent: .max, bytesReceived: .max, reconnects: .max, messagesRejected: .max, connectionsCut: .max,
            keysRefused: .max, callsOutstanding: .max, tasks: .min, actors: [actor])
    }

    @Test(
        "who has a key with fewer rights speaks for himself alone, and in numbers that can be added up",
        arguments: [MeshRole.driver, .observer])
    func lesser(role: MeshRole) throws {
        let peer = PeerID.random(for: try #require(KeyIdentity(role, 7)))
        let said = Self.lie(of: PeerID(4711)).said(by: peer)
        #expect(said.peer == peer && said.role == .driver && said.node.isEmpty && said.actors.isEmpty)
        let many = Array(repeating: said, count: 1000)
        #expect(many.reduce(0) { $0 + $1.residentBytes } > 0)
        #expect(many.reduce(0) { $0 + $1.callsOutstanding } > 0)
        #expect(many.reduce(Duration.zero) { $0 + $1.processorTime } > .zero)
        #expect(said.tasks == 0)
        let counters = [
            said.bytesSent, said.bytesReceived, said.reconnects, said.messagesRejected, said.connectionsCut,
            said.keysRefused,
        ]
        #expect(counters.allSatisfy { $0 < 1 << 50 })
    }

    @Test("a member may say anything")
    func member() throws {
        let lie = Self.lie(of: PeerID(4711))
        #expect(lie.said(by: PeerID(1)) == lie)
    }
}
