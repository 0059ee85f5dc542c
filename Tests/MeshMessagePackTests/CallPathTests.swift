import CMsgpack
import Foundation
import MeshMessagePack
import Testing

/// The interface that calls between actors use: several values in one buffer, large ones beside it.
@Suite struct CallPathTests {
    struct Pair: Codable, Equatable { var a: Int, b: String }

    @Test("values appended one after another are read one after another")
    func sequence() throws {
        let buffer = MessagePackBuffer()
        let encoder = MessagePackEncoder()
        try encoder.encode(1, into: buffer)
        try encoder.encode("two", into: buffer)
        try encoder.encode(Pair(a: 3, b: "three"), into: buffer)
        try encoder.encode([4.0], into: buffer)
        try encoder.encode(Bool?.none, into: buffer)
        let decoder = MessagePackDecoder()
        try buffer.withUnsafeBytes { bytes in
            var offset = 0
            #expect(try decoder.decode(Int.self, from: bytes, offset: &offset) == 1)
            #expect(try decoder.decode(String.self, from: bytes, offset: &offset) == "two")
            let before = offset
            #expect(throws: DecodingError.self) { try decoder.decode([Int].self, from: bytes, offset: &offset) }
            #expect(offset == before)
            #expect(try decoder.decode(Pair.self, from: bytes, offset: &offset) == Pair(a: 3, b: "three"))
            try decoder.skip(from: bytes, offset: &offset)
            #expect(try decoder.decode(Bool?.self, from: bytes, offset: &offset) == nil)
            #expect(offset == bytes.count)
            #expect(throws: DecodingError.self) { try decoder.skip(from: bytes, offset: &offset) }
        }
    }

    @Test("after an error the buffer is as it was")
    func failed() throws {
        let buffer = MessagePackBuffer()
        try MessagePackEncoder().encode("kept", into: buffer)
        #expect(throws: EncodingError.self) {
            try MessagePackEncoder().encode([Date.now, Date(timeIntervalSince1970: .nan)], into: buffer)
        }
        #expect(try buffer.takeData() == encode("kept"))
        #expect(buffer.count == 0)
    }

    @Test("a buffer can be patched, truncated and used again")
    func buffer() {
        let buffer = MessagePackBuffer(capacity: 4)
        Data(0..<100).withUnsafeBytes { buffer.append($0) }
        Data([7, 8]).withUnsafeBytes { buffer.patch(at: 1, with: $0) }
        buffer.truncate(to: 4)
        #expect(buffer.takeData() == Data([0, 7, 8, 3]))
        buffer.removeAll(keepingCapacity: true)
        #expect(buffer.count == 0)
        Data(count: 4000).withUnsafeBytes { buffer.append($0) }
        #expect(buffer.takeData() == Data(count: 4000))
    }

    final class Sink: MessagePackAttachmentSink {
        var taken: [Data] = []
        var limit = Int.max
        func attach(_ data: Data) -> Int? {
            guard self.taken.count < self.limit else { return nil }
            self.taken.append(data)
            return self.taken.count - 1
        }
    }

    struct Parts: Codable, Equatable {
        var data: Data
        var bytes: [UInt8]
        var numbers: [Float]
        var small: [Float]
    }

    @Test("large bytes and number arrays travel as attachments, and come back")
    func attachments() throws {
        let parts = Parts(
            data: Data(repeating: 1, count: 65536),
            bytes: .init(repeating: 2, count: 65536),
            numbers: (0..<16384).map(Float.init),
            small: (0..<1000).map(Float.init)
        )
        let sink = Sink()
        let buffer = MessagePackBuffer()
        try MessagePackEncoder().encode(parts, into: buffer, attachments: sink)
        #expect(sink.taken.map(\.count) == [65536, 65536, 65536])
        #expect(buffer.count < 5000)
        try buffer.withUnsafeBytes { bytes in
            var offset = 0
            let value = try MessagePackDecoder().decode(MessagePackValue.self, from: bytes, offset: &offset)
            guard case .map(let fields) = value else { return #expect(Bool(false)) }
            #expect(fields[.string("data")] == .ext(.init(type: 0x41, data: Data([0]))))
            #expect(fields[.string("numbers")] == .ext(.init(type: 0x41, data: Data([2, 0x66]))))
            offset = 0
            let again = try MessagePackDecoder()
                .decode(Parts.self, from: bytes, offset: &offset, attachments: sink.taken)
            #expect(again == parts)
            offset = 0
            #expect(throws: DecodingError.self) {
                try MessagePackDecoder()
                    .decode(Parts.self, from: bytes, offset: &offset, attachments: Array(sink.taken.prefix(2)))
            }
        }
    }

    @Test("a sink that declines leaves the bytes in the message")
    func declined() throws {
        let sink = Sink()
        sink.limit = 0
        let buffer = MessagePackBuffer()
        let data = Data(repeating: 1, count: 100_000)
        try MessagePackEncoder().encode(data, into: buffer, attachments: sink)
        #expect(try buffer.takeData() == encode(data))
    }

    @Test("large data refers to the message's memory as long as that has an owner")
    func shared() throws {
        final class Owner {
            var data: [UInt8]
            init(_ data: [UInt8]) { self.data = data }
        }
        weak var weakOwner: Owner?
        var result: Data?
        do {
            let owner = Owner([UInt8](try encode(Data(repeating: 9, count: 10_000))))
            weakOwner = owner
            try owner.data.withUnsafeBytes { bytes in
                var offset = 0
                let decoder = MessagePackDecoder()
                result = try decoder.decode(Data.self, from: bytes, offset: &offset, owner: owner)
                let isShared = result?.withUnsafeBytes { $0.baseAddress == bytes.baseAddress.map { $0 + 3 } }
                #expect(isShared == true)
            }
        }
        #expect(weakOwner != nil)
        #expect(result == Data(repeating: 9, count: 10_000))
        result = nil
        #expect(weakOwner == nil)
    }

    @Test("number arrays cost their bytes and a header")
    func sizes() throws {
        #expect(try encode([Double](repeating: 1, count: 1_000_000)).count == 8_000_000 + 6)
        #expect(try encode([UInt8](repeating: 1, count: 1_000_000)).count == 1_000_000 + 5)
    }

    @Test("libmsgpack's own reader agrees about what was written")
    func oracle() throws {
        var generator = SplitMix(state: 99)
        for _ in 0..<500 {
            let data = try encode(MessagePackValue.random(depth: 3, &generator))
            var unpacked = msgpack_unpacked()
            msgpack_unpacked_init(&unpacked)
            defer { msgpack_unpacked_destroy(&unpacked) }
            let again = MessagePackBuffer()
            let status = data.withUnsafeBytes { bytes -> msgpack_unpack_return in
                var offset = 0
                let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
                let status = msgpack_unpack_next(&unpacked, base, bytes.count, &offset)
                #expect(offset == bytes.count)
                var packer = msgpack_packer(data: Unmanaged.passUnretained(again).toOpaque()) { target, piece, count in
                    guard let target else { return -1 }
                    Unmanaged<MessagePackBuffer>.fromOpaque(target).takeUnretainedValue()
                        .append(UnsafeRawBufferPointer(start: piece, count: count))
                    return 0
                }
                msgpack_pack_object(&packer, unpacked.data)
                return status
            }
            #expect(status == MSGPACK_UNPACK_SUCCESS)
            #expect(again.takeData() == data)
        }
    }
}
