import MeshCluster
import Testing

@Suite("Lines that are put together")
struct LineAssemblerTests {
    private func bytes(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("a line is held back until it is whole, and what follows it is too")
    func whole() {
        var lines = LineAssembler()
        #expect(self.text(lines.append(self.bytes("Good "))) == "")
        #expect(self.text(lines.append(self.bytes("morning\nGood "))) == "Good morning\n")
        #expect(self.text(lines.append(self.bytes("evening\nAnd\n"))) == "Good evening\nAnd\n")
        #expect(self.text(lines.append(self.bytes("good night"))) == "")
        #expect(self.text(lines.finish()) == "good night")
        #expect(lines.finish().isEmpty)
    }

    @Test("a line that is too long goes on in pieces")
    func long() {
        var lines = LineAssembler()
        let part = String(repeating: "x", count: LineAssembler.longest / 2)
        #expect(lines.append(self.bytes(part)).isEmpty)
        #expect(lines.append(self.bytes(part)).count == LineAssembler.longest)
        #expect(self.text(lines.append(self.bytes("end\nnext"))) == "end\n")
        #expect(self.text(lines.finish()) == "next")
    }

    @Test(
        "every byte comes out unchanged and in order, in whatever pieces it comes", arguments: 0..<50 as Range<UInt64>)
    func everyByte(seed: UInt64) {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        var lines = LineAssembler()
        var (written, passedOn): ([UInt8], [UInt8]) = ([], [])
        for _ in 0..<40 {
            let piece = (0..<random(below: 20_000)).map { _ in UInt8(random(below: 4) == 0 ? 10 : random(below: 256)) }
            written += piece
            passedOn += lines.append(piece[...])
            #expect(passedOn.isEmpty || passedOn.last == 10 || written.count - passedOn.count < LineAssembler.longest)
        }
        #expect(passedOn + lines.finish() == written)
    }
}
