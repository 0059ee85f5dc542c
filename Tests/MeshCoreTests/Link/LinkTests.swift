import MeshCore
import Testing

@Suite struct LinkReceiverTests {
    @Test("each message of a link is let through once and in order")
    func inOrder() {
        var receiver = LinkReceiver()
        #expect(receiver.receive(epoch: 5, sequence: 1, byteCount: 1) == .deliver)
        #expect(receiver.receive(epoch: 5, sequence: 1, byteCount: 1) == .duplicate)
        #expect(receiver.receive(epoch: 5, sequence: 3, byteCount: 1) == .gap)
        #expect(receiver.receive(epoch: 5, sequence: 2, byteCount: 1) == .deliver)
        #expect(receiver.receive(epoch: 5, sequence: 3, byteCount: 1) == .deliver)
        #expect(receiver.lastInOrder == 3)
    }

    @Test("a new epoch begins a new link, and the old one is stale from then on")
    func epochs() {
        var receiver = LinkReceiver()
        #expect(receiver.receive(epoch: 5, sequence: 1, byteCount: 1) == .deliver)
        #expect(receiver.receive(epoch: 6, sequence: 1, byteCount: 1) == .deliver)
        #expect(receiver.receive(epoch: 5, sequence: 2, byteCount: 1) == .stale)
        #expect(receiver.receive(epoch: 7, sequence: 2, byteCount: 1) == .gap)
        #expect(receiver.receive(epoch: 6, sequence: 2, byteCount: 1) == .stale)
        #expect(receiver.epoch == 7)
        #expect(receiver.lastInOrder == 0)
    }

    @Test("the largest numbers are no trouble")
    func extremes() {
        var receiver = LinkReceiver()
        #expect(receiver.receive(epoch: .max, sequence: .max, byteCount: .max) == .gap)
        #expect(receiver.receive(epoch: .max, sequence: 1, byteCount: 1) == .deliver)
        #expect(receiver.receive(epoch: .max, sequence: 0, byteCount: 1) == .duplicate)
    }

    @Test("an acknowledgement is due after 64 messages or a mebibyte")
    func acknowledgements() {
        var receiver = LinkReceiver()
        #expect(!receiver.owesAcknowledgement)
        for sequence in 1...63 { _ = receiver.receive(epoch: 1, sequence: UInt64(sequence), byteCount: 1) }
        #expect(receiver.owesAcknowledgement)
        #expect(!receiver.owesAcknowledgementNow)
        _ = receiver.receive(epoch: 1, sequence: 64, byteCount: 1)
        #expect(receiver.owesAcknowledgementNow)
        receiver.acknowledged()
        #expect(!receiver.owesAcknowledgement)
        _ = receiver.receive(epoch: 1, sequence: 65, byteCount: 1 << 20)
        #expect(receiver.owesAcknowledgementNow)
    }

    @Test("what is missing is asked for once in an interval, and at once for the next gap")
    func askingAgain() {
        var receiver = LinkReceiver()
        #expect(receiver.receive(epoch: 1, sequence: 2, byteCount: 1) == .gap)
        #expect(receiver.shouldAskAgain(at: 100, interval: 50) == true)
        #expect(receiver.shouldAskAgain(at: 149, interval: 50) == false)
        #expect(receiver.shouldAskAgain(at: 150, interval: 50) == true)
        #expect(receiver.receive(epoch: 1, sequence: 1, byteCount: 1) == .deliver)
        #expect(receiver.receive(epoch: 1, sequence: 3, byteCount: 1) == .gap)
        #expect(receiver.shouldAskAgain(at: 151, interval: 50) == true)
    }
}

@Suite struct LinkSenderTests {
    private func message(_ count: Int) -> OutboundMessage {
        let buffer = WireBuffer()
        for _ in 0..<count { buffer.append(0) }
        return OutboundMessage(head: buffer)
    }

    @Test("a message is kept until it is acknowledged")
    func keeps() {
        var sender = LinkSender(epoch: 9)
        for size in 1...3 { sender.keep(self.message(size), sequence: sender.nextSequence(), at: 0) }
        #expect(sender.unacknowledged.map(\.sequence) == [1, 2, 3])
        #expect(sender.unacknowledgedBytes == 6)
        #expect(sender.acknowledge(epoch: 9, upTo: 2) == true)
        #expect(sender.unacknowledged.map(\.sequence) == [3])
        #expect(sender.unacknowledgedBytes == 3)
        #expect(sender.acknowledge(epoch: 9, upTo: 2) == false)
        #expect(sender.acknowledge(epoch: 9, upTo: 3) == true)
        #expect(sender.unacknowledgedBytes == 0)
    }

    @Test("acknowledgements of another link, or of what was never sent, mean nothing")
    func foreign() {
        var sender = LinkSender(epoch: 9)
        sender.keep(self.message(1), sequence: sender.nextSequence(), at: 0)
        #expect(sender.acknowledge(epoch: 8, upTo: 1) == false)
        #expect(sender.acknowledge(epoch: 9, upTo: 2) == false)
        #expect(sender.acknowledge(epoch: 9, upTo: .max) == false)
        #expect(sender.unacknowledged.count == 1)
    }

    @Test("the peer is asked when nothing was heard for the timeout, and not more often")
    func probes() {
        var sender = LinkSender(epoch: 9)
        #expect(sender.shouldProbe(at: 1000, timeout: 10) == false)
        sender.keep(self.message(1), sequence: sender.nextSequence(), at: 1000)
        #expect(sender.shouldProbe(at: 1000, timeout: 10) == false)
        #expect(sender.shouldProbe(at: 1009, timeout: 10) == false)
        #expect(sender.shouldProbe(at: 1010, timeout: 10) == true)
        #expect(sender.shouldProbe(at: 1011, timeout: 10) == false)
        #expect(sender.shouldProbe(at: 1020, timeout: 10) == true)
    }
}
