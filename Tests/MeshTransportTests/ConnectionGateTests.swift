import Testing

@testable import MeshTransportZeroMQ

@Suite struct ConnectionGateTests {
    private static let limits = ConnectionGate.Limits(handshake: 10, strangers: 3, perKnownHost: 5, all: 20)

    @Test("of connections that have shown no key the oldest go, whoever made them")
    func strangers() {
        var gate = ConnectionGate(Self.limits)
        for descriptor: Int32 in 1...3 { #expect(gate.accepted(descriptor, from: "a", at: 0) == []) }
        #expect(gate.accepted(4, from: "b", at: 1) == [1])
        #expect(gate.accepted(5, from: "b", at: 1) == [2])
        #expect(gate.count == 3 && gate.strangers == 3 && gate.cut == 2)
    }

    @Test("connections that have ended make room, also when their number is another's by now")
    func reuse() {
        var gate = ConnectionGate(Self.limits)
        for descriptor: Int32 in 1...3 { _ = gate.accepted(descriptor, from: "a", at: 0) }
        gate.closed(1)
        #expect(gate.accepted(1, from: "a", at: 1) == [])
        // The end of the former was not heard.
        #expect(gate.accepted(1, from: "a", at: 2) == [])
        #expect(gate.count == 3 && gate.strangers == 3)
        #expect(gate.accepted(7, from: "a", at: 3) == [2])
    }

    @Test("what is older than a handshake may be has made it, and stays")
    func grown() {
        var gate = ConnectionGate(Self.limits)
        for descriptor: Int32 in 1...3 { _ = gate.accepted(descriptor, from: "a", at: 0) }
        for descriptor: Int32 in 4...6 { #expect(gate.accepted(descriptor, from: "a", at: 11) == []) }
        #expect(gate.accepted(7, from: "a", at: 11) == [4])
        #expect(gate.count == 6)
    }

    @Test("a host that has shown a key is not cut for strangers, up to a limit of its own")
    func known() {
        var gate = ConnectionGate(Self.limits)
        for descriptor: Int32 in 1...3 { _ = gate.accepted(descriptor, from: "friend", at: 0) }
        gate.admitted("friend")
        for descriptor: Int32 in 4...5 { #expect(gate.accepted(descriptor, from: "friend", at: 1) == []) }
        for descriptor: Int32 in 11...13 { #expect(gate.accepted(descriptor, from: "a", at: 1) == []) }
        #expect(gate.accepted(14, from: "a", at: 1) == [11])
        #expect(gate.count == 8 && gate.strangers == 3)
        // Its sixth connection is a stranger like any other.
        #expect(gate.accepted(6, from: "friend", at: 1) == [12])
    }

    @Test("there are never more connections than allowed in all")
    func all() {
        var gate = ConnectionGate(Self.limits)
        for descriptor: Int32 in 0..<20 { _ = gate.accepted(descriptor, from: "a", at: UInt64(descriptor) * 20) }
        #expect(gate.count == 20)
        #expect(gate.accepted(20, from: "b", at: 1000) == [20])
        #expect(gate.count == 20)
        gate.closed(3)
        #expect(gate.accepted(21, from: "b", at: 1000) == [])
    }

    @Test("a million attempts keep a hundred friends and no more memory than they need")
    func flood() {
        var gate = ConnectionGate(.init(handshake: 1_000_000, strangers: 256, all: 4096))
        for descriptor: Int32 in 0..<100 { _ = gate.accepted(descriptor, from: "10.0.0.\(descriptor)", at: 0) }
        for number in 0..<100 { gate.admitted("10.0.0.\(number)") }
        var friendsCut = 0
        for attempt: Int32 in 0..<1_000_000 {
            let cut = gate.accepted(1000 + attempt % 1000, from: "198.51.100.\(attempt % 250)", at: UInt64(attempt))
            if !cut.allSatisfy({ $0 >= 1000 }) { friendsCut += 1 }
        }
        #expect(friendsCut == 0)
        #expect(gate.strangers <= 256)
        #expect(gate.count <= 356)
    }
}
