import MeshCore
import MeshTransportZeroMQ
import Testing

@Suite("Binding to addresses") struct BindingTests {
    /// A port that was free just now, after which there are others.
    private func freePort() throws -> Int {
        let transport = try ZeroMQTransport(bind: ["tcp://127.0.0.1:*"])
        defer { transport.close() }
        let port = try #require(transport.endpoints.first.flatMap { TCPEndpoint($0)?.ports?.first })
        return min(port, 65_000)
    }

    private func port(of transport: ZeroMQTransport) -> Int? {
        transport.endpoints.first.flatMap { TCPEndpoint($0)?.ports?.first }
    }

    @Test("of a range of ports the first that is free is taken, and an end is told when none is")
    func range() throws {
        let first = try self.freePort()
        let range = "tcp://127.0.0.1:\(first)-\(first + 20)"
        let one = try ZeroMQTransport(bind: [range])
        defer { one.close() }
        let other = try ZeroMQTransport(bind: [range])
        defer { other.close() }
        let (lower, upper) = (try #require(self.port(of: one)), try #require(self.port(of: other)))
        #expect((first...first + 20).contains(lower) && lower < upper && upper <= first + 20)
        #expect { try ZeroMQTransport(bind: ["tcp://127.0.0.1:\(lower)-\(lower)"]) } throws: { error in
            (error as? MeshError)?.code == .systemFailure
        }
    }

    @Test("messages arrive by IPv6", arguments: ["tcp://[::1]:*", "tcp://127.0.0.1:*"])
    func arrival(at address: String) throws {
        let receiver = try ZeroMQTransport(bind: [address])
        defer { receiver.close() }
        let sender = try ZeroMQTransport(bind: ["tcp://[::1]:*"])
        defer { sender.close() }
        let endpoint = try #require(receiver.endpoints.first)
        let channel = try sender.connect(to: endpoint)
        let buffer = WireBuffer(capacity: 16)
        for byte: UInt8 in 1...3 { buffer.append(byte) }
        #expect(channel.send(OutboundMessage(head: buffer)))
        let message = try #require(receiver.receive(waiting: true))
        withExtendedLifetime(message) { #expect(Array(message.head) == [1, 2, 3]) }
    }

    @Test("without a key only this host's addresses are bound", arguments: ["tcp://0.0.0.0:*", "tcp://[::]:6000-6099"])
    func keyless(address: String) {
        #expect { try ZeroMQTransport(bind: [address]) } throws: { error in
            (error as? MeshError)?.code == .unauthorized
        }
    }
}
