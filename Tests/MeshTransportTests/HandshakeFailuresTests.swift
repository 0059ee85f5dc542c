import CZeroMQ
import Glibc
import Testing

@testable import MeshTransportZeroMQ

/// Who is refused, and who is only not answered.
@Suite("B4: failed handshakes") struct HandshakeFailuresTests {
    @Test("whoever is cut off again and again is refused, and at once who is told so")
    func refused() {
        var failures = HandshakeFailures()
        for _ in 0..<2 { failures.note(ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, error: EPIPE) }
        #expect(!failures.areRefusal)
        failures.note(ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, error: ECONNRESET)
        #expect(failures.areRefusal)
        var told = HandshakeFailures()
        told.note(ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, error: 400)
        #expect(told.areRefusal)
    }

    @Test("a process that is frozen refuses nobody, however often the time for a handshake is over")
    func frozen() {
        var failures = HandshakeFailures()
        for _ in 0..<100 { failures.note(ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, error: EAGAIN) }
        #expect(!failures.areRefusal)
    }
}
