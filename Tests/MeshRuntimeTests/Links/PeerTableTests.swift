import MeshCore
import MeshTransportInProcess
import Testing

@testable import MeshRuntime

@Suite struct PeerTableTests {
    private let hub = InProcessHub()

    private func address(_ number: Int, endpoints: [String]) -> PeerAddress {
        PeerAddress(
            peer: PeerID(UInt64(number)), host: HostID("here"), processID: 1, startTime: 1, endpoints: endpoints)
    }

    @Test("whoever says hello under ever new names has no more than so many links, and the others keep theirs")
    func strangers() throws {
        let transport = self.hub.makeTransport()
        let outbox = PeerOutbox(isOwnThread: { true }, noteActivity: {})
        let table = PeerTable(
            own: self.address(1, endpoints: transport.endpoints), transport: transport, outbox: outbox,
            settings: MeshSettings())
        let endpoints = self.hub.makeTransport().endpoints
        // This one was called, and has said hello in its turn.
        let called = try table.peer(at: self.address(2, endpoints: endpoints))
        var givenUp: Set<PeerID> = []
        for number in 0..<3 * PeerTable.maximumStrangers {
            let address = self.address(100 + number, endpoints: endpoints)
            _ = try table.peer(at: address)
            for peer in table.noteStranger(address.peer) {
                #expect(givenUp.insert(peer.id).inserted)
                #expect(table.giveUp(peer, because: MeshError(.actorUnavailable, "")))
            }
        }
        #expect(table.all.count == 1 + PeerTable.maximumStrangers)
        #expect(table.known(called.id) === called)
        // The oldest go first, and may come again.
        #expect(givenUp == Set((0..<2 * PeerTable.maximumStrangers).map { PeerID(UInt64(100 + $0)) }))
        #expect(table.silent(PeerID(100 + UInt64(2 * PeerTable.maximumStrangers) - 1)) != nil)
        table.close()
    }
}
