import FoundationEssentials
import Logging
import MeshCore
import MeshRuntime
import Testing

@Suite struct LogContentTests {
    private let full = LogContent(
        kind: .log, level: .warning, time: 1_790_000_000_123_456_789, text: "Grüße, 世界",
        metadata: ["a": "1", "b": "zwei"],
        actor: LogRecord.Actor(
            typeName: "App.Trainer", name: "t", id: UniqueID(high: 1, low: 2), incarnation: 3), task: "App.Publish",
        traceID: "abc", dropped: 7, driver: PeerID(1 << 60))

    private func bytes(_ content: LogContent) -> [UInt8] {
        let buffer = WireBuffer()
        content.write(to: buffer)
        return Array(buffer.bytes)
    }

    private func read(_ bytes: [UInt8]) throws -> LogContent {
        try bytes.withUnsafeBytes { buffer in
            var reader = WireReader(buffer)
            return try LogContent(reading: &reader)
        }
    }

    @Test("a record is read as it was written")
    func again() throws {
        #expect(try self.read(self.bytes(self.full)) == self.full)
        let plain = LogContent(kind: .output, level: .info, time: 1, text: "")
        #expect(try self.read(self.bytes(plain)) == plain)
    }

    @Test("its bytes are these, for ever")
    func golden() {
        let content = LogContent(
            kind: .errorOutput, level: .notice, time: 255, text: "hi", metadata: ["k": "v"], task: "T")
        #expect(
            self.bytes(content) == [
                0x99, 0x02, 0x03, 0xcc, 0xff, 0xa2, 0x68, 0x69, 0x92, 0xa1, 0x6b, 0xa1, 0x76, 0xc0, 0xa1, 0x54, 0xc0,
                0x00,
            ])
    }

    private func sketch(_ bytes: [UInt8]) throws -> LogSketch {
        try bytes.withUnsafeBytes { buffer in
            var reader = WireReader(buffer)
            let sketch = try LogSketch(reading: &reader)
            #expect(reader.isAtEnd)
            return sketch
        }
    }

    @Test("one that ends too early is refused, wherever it ends")
    func short() {
        let whole = self.bytes(self.full)
        for length in 0..<whole.count {
            #expect(throws: WireError.self) { try self.read(Array(whole[..<length])) }
            #expect(throws: WireError.self) { try self.sketch(Array(whole[..<length])) }
        }
    }

    @Test("a sketch says the same as the record")
    func sketch() throws {
        let bytes = self.bytes(self.full)
        let sketch = try self.sketch(bytes)
        #expect(sketch.kind == .log && sketch.level == .warning && sketch.time == self.full.time)
        #expect(sketch.driver == self.full.driver)
        let (actor, task) = (try #require(sketch.actor), try #require(sketch.task))
        try bytes.withUnsafeBytes { buffer in
            var reader = WireReader(buffer, offset: actor.lowerBound)
            let read = try LogRecord.Actor(reading: &reader)
            #expect(read == self.full.actor && reader.offset == actor.upperBound)
            reader = WireReader(buffer, offset: task.lowerBound)
            #expect(try reader.readString() == self.full.task && reader.offset == task.upperBound)
        }
    }

    @Test("a sketch refuses what the record does", arguments: 0..<200)
    func garbage(seed: Int) {
        var bytes = self.bytes(self.full)
        bytes[(seed * 7) % bytes.count] ^= UInt8(truncatingIfNeeded: 1 + seed * 37 % 255)
        let isRead = (try? self.read(bytes)) != nil
        let isSketched =
            (try? bytes.withUnsafeBytes { buffer in
                var reader = WireReader(buffer)
                return try LogSketch(reading: &reader)
            }) != nil
        #expect(isRead == isSketched)
    }

    @Test("what is too long is cut, not in the middle of a character")
    func long() throws {
        let text = String(repeating: "ä", count: LogContent.longestText)
        let value = String(repeating: "m", count: 9000)
        let metadata = Dictionary(uniqueKeysWithValues: (0..<200).map { ("\($0)", value) })
        let content = LogContent(kind: .log, level: .info, time: 1, text: "x" + text, metadata: metadata)
        let bytes = self.bytes(content)
        #expect(bytes.count <= LogContent.largest)
        let back = try self.read(bytes)
        #expect(back.text.utf8.count <= LogContent.longestText && back.text.utf8.count > LogContent.longestText - 4)
        #expect(content.text.hasPrefix(back.text))
        #expect(back.metadata.count == LogContent.mostMetadata)
    }

    @Test(
        "patterns",
        arguments: [
            ("*", "", true), ("*", "abc", true), ("a*c", "abc", true), ("a*c", "abcd", false), ("a?c", "abc", true),
            ("a?c", "ac", false), ("trainer-*", "trainer-7", true), ("abc", "abc", true), ("abc", "abcd", false),
            ("*a*b*", "xxaxxbxx", true), ("*aab", "aaaab", true), ("?", "", false), ("**", "x", true),
        ])
    func globs(pattern: String, text: String, matches: Bool) { #expect(Glob(pattern).matches(text) == matches) }

    @Test("a pattern made to be slow is not")
    func slowGlob() {
        let text = String(repeating: "a", count: 2000)
        #expect(!Glob(String(repeating: "a*", count: 100) + "b").matches(text))
    }
}
