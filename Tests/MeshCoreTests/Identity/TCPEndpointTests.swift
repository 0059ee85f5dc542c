import MeshCore
import Testing

@Suite("Endpoints and their parts")
struct TCPEndpointTests {
    @Test(
        "an endpoint is written as it was read",
        arguments: [
            "tcp://10.0.0.7:4711", "tcp://[fd00::7]:*", "tcp://mesh.example:6000-6099", "tcp://10.0.0.9:4711#8f3a",
        ])
    func text(text: String) {
        #expect(TCPEndpoint(text)?.text == text)
    }

    @Test(
        "what is none is not read as one",
        arguments: [
            "ipc:///run/1", "tcp://", "tcp://host", "tcp://:4711", "tcp://host:", "tcp://host:0", "tcp://host:65536",
            "tcp://host:+1", "tcp://host:6099-6000", "tcp://host:1-2-3", "tcp://host:1-", "tcp://host:-1",
        ])
    func refused(text: String) {
        #expect(TCPEndpoint(text) == nil)
    }

    @Test("a range is tried port by port, everything else once")
    func bindable() {
        let bindable = { (text: String) in TCPEndpoint(text)?.bindable ?? [] }
        #expect(bindable("tcp://h:6000-6002") == ["tcp://h:6000", "tcp://h:6001", "tcp://h:6002"])
        #expect(bindable("tcp://h:6000") == ["tcp://h:6000"])
        #expect(bindable("tcp://h:*") == ["tcp://h:*"])
    }

    @Test("another process of the host takes a port of the same range, or any")
    func forAnother() {
        let other = { (text: String) in TCPEndpoint(text)?.forAnother.text }
        #expect(other("tcp://0.0.0.0:6000-6099") == "tcp://0.0.0.0:6000-6099")
        #expect(other("tcp://0.0.0.0:4711") == "tcp://0.0.0.0:*")
        #expect(other("tcp://[::]:*") == "tcp://[::]:*")
    }

    @Test("all interfaces have several names")
    func wildcards() {
        for text in ["tcp://*:1", "tcp://0.0.0.0:1", "tcp://[::]:1", "tcp://[::ffff:0.0.0.0]:1"] {
            #expect(TCPEndpoint(text)?.isWildcard == true, "\(text)")
        }
        for text in ["tcp://host:1", "tcp://127.0.0.1:1", "tcp://[::1]:1"] {
            #expect(TCPEndpoint(text)?.isWildcard == false, "\(text)")
        }
    }
}
