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

    /// What a host in the networks (`address/prefix`) chooses of several.
    private func choice(of endpoints: String..., in networks: String...) throws -> String? {
        let networks = try networks.map { text in
            let parts = text.split(separator: "/")
            return IPNetwork(address: try #require(IPAddress(parts[0])), prefix: try #require(Int(parts[1])))
        }
        return self.address(["ipc:///run/1"] + endpoints).endpoint(from: HostID("there"), in: { networks })
    }

    @Test("of several the one in a network of the host's own is used, else the first")
    func nearest() throws {
        let (near, far, name) = ("tcp://10.0.0.7:1", "tcp://203.0.113.7:1", "tcp://mesh.example:1")
        #expect(try self.choice(of: far, near, name, in: "192.168.0.2/24", "10.0.0.2/24") == near)
        #expect(try self.choice(of: far, near, name, in: "192.168.0.2/24") == far)
        #expect(try self.choice(of: name, near, in: "192.168.0.2/24") == name)
        #expect(
            try self.choice(of: far, "tcp://[fd00::7]:1", in: "192.168.0.2/24", "[fd00::2]/64") == "tcp://[fd00::7]:1")
    }

    @Test("an endpoint of a kind that the host has no address of is not used while there is another")
    func kinds() throws {
        let (four, six, name) = ("tcp://10.0.0.7:1", "tcp://[fd00::7]:1", "tcp://mesh.example:1")
        #expect(try self.choice(of: six, four, in: "192.168.0.2/24") == four)
        #expect(try self.choice(of: four, six, in: "[2001:db8::2]/64") == six)
        #expect(try self.choice(of: four, name, in: "[2001:db8::2]/64") == name)
        #expect(try self.choice(of: six, four) == six)
    }

    @Test("another host's loopback, and an address that this host has too, are used only for want of others")
    func ambiguous() throws {
        let (loopback, bridge, far) = ("tcp://127.0.0.1:1", "tcp://172.17.0.1:1", "tcp://203.0.113.7:1")
        #expect(try self.choice(of: loopback, bridge, far, in: "172.17.0.1/16", "10.0.0.2/24") == far)
        #expect(try self.choice(of: loopback, bridge, in: "172.17.0.1/16") == loopback)
        #expect(try self.choice(of: loopback, in: "10.0.0.2/24") == loopback)
    }

    @Test("on the same host the first is used, as the choice is only about other networks")
    func sameHostByTCP() {
        let address = address(["ipc:///run/1", "tcp://127.0.0.1:1", "tcp://10.0.0.7:1"])
        #expect(address.endpoint(from: HostID("here"), avoidingLocal: true) == "tcp://127.0.0.1:1")
    }
}
