import MeshCore
import Testing

/// An envelope with its bytes: what a program in another language has to write and read.
struct GoldenVector: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var hex: String
    var write: @Sendable (WireBuffer) -> Void

    init(_ name: String, _ hex: String, _ write: @escaping @Sendable (WireBuffer) -> Void) {
        self.testDescription = name
        self.hex = hex.filter { !$0.isWhitespace }
        self.write = write
    }
}

extension GoldenVector {
    static let actor = UniqueID(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10)
    static let actorHex = "c410 0102030405060708 090a0b0c0d0e0f10"

    static let all: [GoldenVector] = [
        // [kind, call ID, sequence, actor, incarnation, target, microseconds left, flags, context, attachments, arguments]
        GoldenVector(
            "a call by name, without deadline",
            """
            9b 00 05 01 \(actorHex) 01 ad 4563686f2e74657874285f3a29 00 00 c0 00 c404 91a26869
            """
        ) { write($0, call(target: .name("Echo.text(_:)")), "91a26869") },
        GoldenVector(
            "a call by number, with a deadline, one attachment and a context",
            """
            9b 00 cd1234 cc80 \(actorHex) 02 03 ce001e8480 00
            95 91 92 \(actorHex) a3 412e62  91 a4 5369 5367  91 92 a7 74726163656964 a2 3031  92 07 \(actorHex)  05
            01 c401 90
            """
        ) {
            let context = CallContextFields(
                chain: [ChainLink(actor: actor, method: "A.b")], genericSubstitutions: ["SiSg"],
                trace: ["traceid": "01"], handles: HandlesInTransit(number: 7, actors: [actor]), answeredBelow: 5)
            var call = call(target: .number(3))
            (call.callID, call.sequence, call.incarnation) = (0x1234, 0x80, 2)
            (call.microsecondsLeft, call.context, call.attachments) = (2_000_000, context, 1)
            write($0, call, "90")
        },
        GoldenVector("a one-way message that asks for credit", "9b 01 00 07 \(actorHex) 01 00 00 01 c0 00 c401 90") {
            var call = call(target: .number(0))
            (call.isOneWay, call.callID, call.sequence, call.wantsCredit) = (true, 0, 7, true)
            write($0, call, "90")
        },
        GoldenVector("a result", "94 02 05 00 c401 2a") { buffer in
            withBytes("2a") { buffer.writeReply(callID: 5, attachments: 0, result: $0) }
        },
        GoldenVector("a result with a handle", "95 02 05 00 c401 2a 92 07 \(actorHex)") { buffer in
            withBytes("2a") {
                buffer.writeReply(
                    callID: 5, attachments: 0, result: $0, handles: HandlesInTransit(number: 7, actors: [actor]))
            }
        },
        GoldenVector("an error of the mesh", "95 03 05 c0 00 c404 9301a0c0") { buffer in
            withBytes("9301a0c0") { buffer.writeFailure(callID: 5, typeName: nil, attachments: 0, error: $0) }
        },
        GoldenVector("an error of a method", "95 03 05 a3 4d2e45 00 c401 c0") { buffer in
            withBytes("c0") { buffer.writeFailure(callID: 5, typeName: "M.E", attachments: 0, error: $0) }
        },
        GoldenVector("a call to a life that is over", "96 03 05 c0 00 c404 9301a0c0 94 \(actorHex) 02 09 01") {
            buffer in
            let refusal = CallRefusal(actor: actor, incarnation: 2, sequence: 9, mayHaveRun: true)
            withBytes("9301a0c0") {
                buffer.writeFailure(callID: 5, typeName: nil, attachments: 0, error: $0, refusal: refusal)
            }
        },
        GoldenVector("a cancellation", "93 04 05 \(actorHex)") { $0.writeCancel(callID: 5, actor: actor) },
        GoldenVector("credit", "94 05 \(actorHex) 01 cd03e8") {
            $0.writeCredit(CreditEnvelope(actor: actor, incarnation: 1, completed: 1000))
        },
        GoldenVector(
            "a hello",
            "96 06 cf00000000000000ab a1 68 cd04d2 cd162e 92 a7 6970633a2f2f61 ac 7463703a2f2f682e783a3432"
        ) {
            $0.writeHello(
                PeerAddress(
                    peer: PeerID(0xab), host: HostID("h"), processID: 1234, startTime: 5678,
                    endpoints: ["ipc://a", "tcp://h.x:42"]))
        },
        GoldenVector("a hello of a process that shares memory", "97 06 cf00000000000000ab a1 68 cd04d2 cd162e 90 01") {
            $0.writeHello(
                PeerAddress(
                    peer: PeerID(0xab), host: HostID("h"), processID: 1234, startTime: 5678, endpoints: []),
                .sharedMemory)
        },
        GoldenVector("an offer of shared memory", "94 0f 07 0c ce00100000") {
            $0.writeSlot(.offer(7, descriptor: 12, capacity: 1 << 20))
        },
        GoldenVector("shared memory that is mapped", "93 10 07 01") { $0.writeSlot(.mapped(7, true)) },
        GoldenVector("a value in shared memory", "94 11 07 ce00010000 02") {
            $0.writeSlot(.lent(7, count: 65_536, index: 2))
        },
        GoldenVector("shared memory that is not used any more", "92 12 07") { $0.writeSlot(.givenUp(7)) },
        GoldenVector("a probe", "92 07 2a") { $0.writeProbe(lastSequence: 42) },
        GoldenVector("a goodbye", "92 08 a3 656e64") { $0.writeGoodbye(reason: "end") },
        GoldenVector("the end of an actor", "94 0d \(actorHex) 01 a3 656e64") {
            $0.writeEnded(EndedEnvelope(actor: actor, incarnation: 1, reason: "end"))
        },
        GoldenVector("that handles have arrived", "93 0e 07 cd012c") { $0.writeHeld([7, 300]) },
        GoldenVector("a result with a handle that the broker has counted", "95 02 05 00 c401 2a 92 00 \(actorHex)") {
            buffer in
            withBytes("2a") {
                buffer.writeReply(
                    callID: 5, attachments: 0, result: $0, handles: HandlesInTransit(number: 0, actors: [actor]))
            }
        },
        GoldenVector("a request to send again", "91 09") { $0.writeResend() },
        GoldenVector("a mismatch", "92 0a cccd") { $0.writeMismatch(expected: PeerID(0xcd)) },
        GoldenVector("a greeting", "92 0b 07") { $0.writeGreet(7) },
        GoldenVector("the answer to a greeting", "92 0c 07") { $0.writeGreeted(7) },
    ]

    /// `[version, from, to, epoch, sequence, ackEpoch, ackSequence]`; all but the version in nine bytes.
    static let header = """
        97 01 cf00000000000000ab cf00000000000000cd cf0000000000000003 cf0000000000000007 cf0000000000000002
        cf0000000000000005
        """.filter { !$0.isWhitespace }

    private static func call(target: WireTarget) -> CallEnvelope {
        CallEnvelope(
            isOneWay: false, callID: 5, sequence: 1, actor: actor, incarnation: 1, target: target, microsecondsLeft: 0,
            wantsCredit: false, context: nil, attachments: 0)
    }

    private static func write(_ buffer: WireBuffer, _ call: CallEnvelope, _ arguments: String) {
        withBytes(arguments) { buffer.writeCall(call, arguments: $0) }
    }

    private static func withBytes(_ dump: String, _ body: (UnsafeRawBufferPointer) -> Void) {
        bytes(dump).withUnsafeBytes(body)
    }
}
