import MeshCore
import MeshTransportInProcess
import Testing

@Suite struct EnvelopeTests {
    @Test("each envelope is written as the golden vector says", arguments: GoldenVector.all)
    func writes(_ vector: GoldenVector) {
        #expect(written(vector.write) == vector.hex)
    }

    @Test("each golden vector is read to its end, and what was read is written the same", arguments: GoldenVector.all)
    func reads(_ vector: GoldenVector) throws {
        let again = WireBuffer()
        try reading(bytes(vector.hex)) { reader in
            let envelope = try Envelope(from: &reader)
            #expect(reader.isAtEnd)
            envelope.write(to: again, from: reader.bytes)
        }
        #expect(hex(Array(again.bytes)) == vector.hex)
    }

    @Test("every truncation of each golden vector is refused", arguments: GoldenVector.all)
    func truncations(_ vector: GoldenVector) {
        let whole = bytes(vector.hex)
        for count in 0..<whole.count {
            #expect(throws: WireError.self, "\(count) bytes") {
                try reading(Array(whole[..<count])) { _ = try Envelope(from: &$0) }
            }
        }
    }

    @Test("changing any byte of any golden vector never crashes", arguments: GoldenVector.all)
    func mutations(_ vector: GoldenVector) {
        let whole = bytes(vector.hex)
        for index in whole.indices {
            for value in UInt8.min...UInt8.max {
                var changed = whole
                changed[index] = value
                reading(changed) { reader in _ = try? Envelope(from: &reader) }
            }
        }
    }

    @Test("random bytes never crash", arguments: 0..<20)
    func noise(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let count = Int.random(in: 0..<80, using: &generator)
            // Begin like an envelope, so that more than the first byte is looked at.
            var noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if count > 2, Bool.random(using: &generator) {
                noise[0] = 0x90 | UInt8.random(in: 1...11, using: &generator)
                noise[1] = UInt8.random(in: 0...15, using: &generator)
            }
            reading(noise) { reader in
                while !reader.isAtEnd, (try? Envelope(from: &reader)) != nil {}
            }
        }
    }

    @Test(
        "what would grow the reader is refused",
        arguments: [
            ("a kind that does not exist", "91 0f"),
            ("an empty envelope", "90"),
            ("too many fields", "94 04 05 06 07"),
            ("a chain of 65,535 links", "9b 00 05 01 \(GoldenVector.actorHex) 01 00 00 00 93 dc ffff"),
            ("four thousand million type names", "9b 00 05 01 \(GoldenVector.actorHex) 01 00 00 00 93 90 dd ffffffff"),
            ("more handles than a message has", "95 02 05 00 c400 dd 00008002 07"),
            ("more answers about handles than fit", "dc 1001 0e" + String(repeating: "01", count: 4096)),
            ("17 endpoints", "96 06 01 a1 68 01 01 dc 0011" + String(repeating: "a161", count: 17)),
            ("5,000 attachments", "94 02 05 cd1388 c400"),
            (
                "a method name of 5,000 bytes",
                "9b 00 05 01 \(GoldenVector.actorHex) 01 da 1388" + String(repeating: "61", count: 5000)
            ),
        ])
    func bounds(what: String, dump: String) {
        #expect(throws: WireError.self) { try reading(bytes(dump)) { _ = try Envelope(from: &$0) } }
    }
}

extension Envelope {
    /// Writes what was read once more.
    fileprivate func write(to buffer: WireBuffer, from bytes: UnsafeRawBufferPointer) {
        func part(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[range]) }
        switch self {
        case .call(let call): buffer.writeCall(call, arguments: part(call.arguments))
        case .reply(let reply):
            buffer.writeReply(
                callID: reply.callID, attachments: reply.attachments, result: part(reply.result),
                handles: reply.handles)
        case .failure(let failure):
            buffer.writeFailure(
                callID: failure.callID, typeName: failure.typeName, attachments: failure.attachments,
                error: part(failure.error), refusal: failure.refusal)
        case .cancel(let callID, let actor): buffer.writeCancel(callID: callID, actor: actor)
        case .credit(let credit): buffer.writeCredit(credit)
        case .hello(let address, let features): buffer.writeHello(address, features)
        case .probe(let last): buffer.writeProbe(lastSequence: last)
        case .resend: buffer.writeResend()
        case .mismatch(let expected): buffer.writeMismatch(expected: expected)
        case .greet(let number): buffer.writeGreet(number)
        case .greeted(let number): buffer.writeGreeted(number)
        case .ended(let ended): buffer.writeEnded(ended)
        case .held(let numbers): buffer.writeHeld(numbers)
        case .slot(let note): buffer.writeSlot(note)
        case .goodbye(let reason): buffer.writeGoodbye(reason: reason)
        }
    }
}
