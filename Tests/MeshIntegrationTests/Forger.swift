import FoundationEssentials
import MeshCore
import MeshTesting
import MeshTransportInProcess

@testable import MeshRuntime

/// A process that writes its messages by hand.
struct Forger: Sendable {
    let address: PeerAddress
    private let transport: InProcessTransport
    private let channel: any TransportChannel
    private let target: PeerID

    init(_ test: TestMesh, target: Int) throws {
        self.transport = test.hub.makeTransport()
        self.channel = try self.transport.connect(to: test.meshes[target].address.endpoints[0])
        self.target = test.meshes[target].address.peer
        var address = test.meshes[target].address
        address.peer = PeerID(0x5747)
        address.endpoints = self.transport.endpoints
        self.address = address
    }

    /// - Parameter link: the number of the link, which has ended when something bad came by it.
    func header(to target: PeerID, from: PeerID? = nil, link: UInt64 = 1, sequence: UInt64 = 0) -> BatchHeader {
        BatchHeader(
            from: from ?? self.address.peer, to: target, epoch: link, sequence: sequence, acknowledgedEpoch: 0,
            acknowledged: 0)
    }

    func send(_ write: (WireBuffer) -> Void) {
        let buffer = WireBuffer()
        write(buffer)
        _ = self.channel.send(OutboundMessage(head: buffer))
    }

    /// Returns when everything that was sent has been taken in: the answer to a probe comes after it.
    @concurrent func roundTrip(link: UInt64 = 1) async throws {
        self.send { buffer in
            self.header(to: self.target, link: link).write(to: buffer)
            buffer.writeHello(self.address)
            buffer.writeGreet(4711)
        }
        let deadline = ContinuousClock.now + .seconds(60)
        // Not blocking a thread, of which there are few: an answer that does not come fails this test, and no other.
        while ContinuousClock.now < deadline {
            guard let message = self.transport.receive(waiting: false) else {
                try await Task.sleep(for: .milliseconds(1))
                continue
            }
            defer { withExtendedLifetime(message) {} }
            var reader = WireReader(message.head)
            _ = try BatchHeader(from: &reader)
            while !reader.isAtEnd { if case .greeted(4711) = try Envelope(from: &reader) { return } }
        }
        throw MeshError(.deadlineExceeded, "Nobody answered the greeting.")
    }

    struct Call {
        var envelope: CallEnvelope
        func write(to buffer: WireBuffer) {
            withUnsafeBytes(of: UInt8(0x90)) { buffer.writeCall(self.envelope, arguments: $0) }
        }
    }

    func call(_ target: WireTarget, to actor: UniqueID) -> Call {
        Call(
            envelope: CallEnvelope(
                isOneWay: false, callID: 1, sequence: 1, actor: actor, incarnation: 0, target: target,
                microsecondsLeft: 0, wantsCredit: false, context: nil, attachments: 0))
    }
}
