import MeshCore
import Testing

@Suite struct PeerAddressTests {
    private func address(_ endpoints: [String]) -> PeerAddress {
        PeerAddress(peer: PeerID(1), host: HostID("here"), processID: 1, startTime: 1, endpoints: endpoints)
    }

    @Test("on the same host the local endpoint is used")
    func sameHost() {
        let address = address(["tcp://10.0.0.7:1", "ipc:///run/1"])
        #expect(address.endpoint(from: HostID("here")) == "ipc:///run/1")
    }

    @Test("from another host the one that crosses hosts is used")
    func otherHost() {
        let address = address(["ipc:///run/1", "tcp://10.0.0.7:1"])
        #expect(address.endpoint(from: HostID("there")) == "tcp://10.0.0.7:1")
    }

    @Test("the same host makes do with what there is, another host cannot use a local one")
    func onlyOne() {
        #expect(address(["tcp://10.0.0.7:1"]).endpoint(from: HostID("here")) == "tcp://10.0.0.7:1")
        #expect(address(["ipc:///run/1"]).endpoint(from: HostID("there")) == nil)
        #expect(address([]).endpoint(from: HostID("here")) == nil)
    }
}
