import ActorMesh
import MeshCore
import Testing

@Suite("What a process tells others of where it is")
struct AdvertisedAddressesTests {
    private let local = "ipc:///run/mesh/1"

    /// What is told of a process that is bound somewhere, on a host whose addresses are 10.0.0.2 and fd00::2.
    private func list(_ bound: String..., told: [String] = []) throws -> [String] {
        try AdvertisedAddresses.of([self.local] + bound, told: told) { endpoint in
            endpoint.host == "0.0.0.0" ? ["10.0.0.2"] : ["10.0.0.2", "[fd00::2]"]
        }
    }

    @Test("what is bound at an address is told as it is, IPv4 as such")
    func bound() throws {
        #expect(try self.list() == [self.local])
        #expect(try self.list("tcp://127.0.0.1:5000") == [self.local, "tcp://127.0.0.1:5000"])
        #expect(try self.list("tcp://[::ffff:10.0.0.2]:5000") == [self.local, "tcp://10.0.0.2:5000"])
        #expect(try self.list("tcp://[fd00::2]:5000#8f3a") == [self.local, "tcp://[fd00::2]:5000#8f3a"])
    }

    @Test("in place of all interfaces the host's addresses are told")
    func wildcards() throws {
        #expect(try self.list("tcp://0.0.0.0:5000") == [self.local, "tcp://10.0.0.2:5000"])
        #expect(try self.list("tcp://[::ffff:0.0.0.0]:5000") == [self.local, "tcp://10.0.0.2:5000"])
        #expect(
            try self.list("tcp://[::]:5000#8f3a")
                == [self.local, "tcp://10.0.0.2:5000#8f3a", "tcp://[fd00::2]:5000#8f3a"])
    }

    @Test("what is to be told takes the place of what is bound, with the key of that")
    func told() throws {
        #expect(
            try self.list("tcp://0.0.0.0:5000", told: ["tcp://mesh.example:4711"])
                == [self.local, "tcp://mesh.example:4711"])
        #expect(
            try self.list("tcp://0.0.0.0:5000#8f3a", told: ["tcp://a:1", "tcp://[fd00::9]:2", "tcp://a:1"])
                == [self.local, "tcp://a:1#8f3a", "tcp://[fd00::9]:2#8f3a"])
    }

    @Test("port * is that of the same host, or of what takes in that kind of address, or the first")
    func ports() throws {
        let bound = ["tcp://10.0.0.2:5000", "tcp://[fd00::2]:6000"]
        let port = { (told: String) in
            try AdvertisedAddresses.of(bound, told: [told]) { _ in [] }.first?.split(separator: ":").last
        }
        #expect(try port("tcp://10.0.0.2:*") == "5000")
        #expect(try port("tcp://[fd00:0::2]:*") == "6000")
        #expect(try port("tcp://203.0.113.1:*") == "5000")
        #expect(try port("tcp://[2001:db8::9]:*") == "6000")
        #expect(try port("tcp://mesh.example:*") == "5000")
        #expect(try self.list("tcp://[::]:7000", told: ["tcp://203.0.113.1:*"]).last == "tcp://203.0.113.1:7000")
    }

    @Test("what nobody can connect to is refused, as is telling of a process that others cannot reach")
    func refused() {
        #expect { try self.list("tcp://0.0.0.0:5000", told: ["tcp://0.0.0.0:4711"]) } throws: { error in
            (error as? MeshError)?.code == .invalidArgument
        }
        #expect { try self.list(told: ["tcp://mesh.example:4711"]) } throws: { error in
            (error as? MeshError)?.message.contains("address to bind too") == true
        }
    }
}
