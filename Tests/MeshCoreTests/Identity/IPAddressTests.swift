import MeshCore
import Testing

@Suite("Addresses of hosts and networks")
struct IPAddressTests {
    @Test(
        "an address is read and written as in an endpoint",
        arguments: [
            ("10.0.0.7", "10.0.0.7"), ("[fd00::7]", "[fd00::7]"), ("fd00:0:0::7", "[fd00::7]"),
            ("[::ffff:10.0.0.7]", "10.0.0.7"), ("[::]", "[::]"), ("0.0.0.0", "0.0.0.0"),
        ])
    func text(text: String, host: String) throws {
        #expect(try #require(IPAddress(text)).host == host)
    }

    @Test(
        "what is no address is none",
        arguments: ["", "mesh.example", "10.0.0", "10.0.0.256", "[10.0.0.7]", "[fd00::7", "fe80::1%eth0"])
    func names(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("special addresses are known as such")
    func kinds() throws {
        for text in ["127.0.0.1", "127.8.8.8", "[::1]"] { #expect(try #require(IPAddress(text)).isLoopback) }
        for text in ["0.0.0.0", "[::]"] { #expect(try #require(IPAddress(text)).isUnspecified) }
        for text in ["169.254.0.9", "[fe80::9]"] { #expect(try #require(IPAddress(text)).isLinkLocal) }
        for text in ["10.0.0.7", "[fd00::7]", "[::2]", "[::1:0:1]"] {
            let address = try #require(IPAddress(text))
            #expect(!address.isLoopback && !address.isUnspecified && !address.isLinkLocal)
        }
    }

    @Test("a network contains the addresses that begin as its own does, bit by bit")
    func networks() throws {
        let address = { (text: String) in try #require(IPAddress(text)) }
        let network = IPNetwork(address: try address("10.0.8.1"), prefix: 22)
        #expect(network.contains(try address("10.0.11.255")))
        #expect(!network.contains(try address("10.0.12.0")))
        #expect(!network.contains(try address("[fd00::1]")))
        #expect(IPNetwork(address: try address("10.0.8.1"), prefix: 32).contains(try address("10.0.8.1")))
        #expect(!IPNetwork(address: try address("10.0.8.1"), prefix: 32).contains(try address("10.0.8.2")))
        #expect(IPNetwork(address: try address("10.0.8.1"), prefix: 0).contains(try address("192.0.2.1")))
        #expect(IPNetwork(address: try address("[fd00::1]"), prefix: 64).contains(try address("[fd00::ffff:1]")))
        #expect(!IPNetwork(address: try address("[fd00::1]"), prefix: 64).contains(try address("[fd00:0:0:1::1]")))
    }

    @Test("the networks of this host lead somewhere")
    func interfaces() {
        for network in interfaceNetworks() {
            #expect(network.contains(network.address))
            #expect(!network.address.isLoopback && !network.address.isLinkLocal)
            #expect((1...(network.address.isVersion6 ? 128 : 32)).contains(network.prefix))
        }
    }
}
