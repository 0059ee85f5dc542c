import MeshCluster
import Testing

@Suite("The last lines of a process")
struct OutputTailTests {
    private func tail(_ pieces: String..., errors: [String] = []) -> OutputTail {
        var tail = OutputTail()
        for piece in pieces { tail.append(Array(piece.utf8)[...], from: .standardOutput) }
        for piece in errors { tail.append(Array(piece.utf8)[...], from: .standardError) }
        return tail
    }

    @Test("lines are put together of pieces, and the one without an end is the last")
    func pieces() {
        #expect(self.tail("one\ntw", "o\r\n\n  \nth", "ree").lines == ["one", "two", "three"])
    }

    @Test("a line of one stream is not torn by one of the other")
    func streams() {
        var tail = OutputTail()
        tail.append(Array("begun ".utf8)[...], from: .standardOutput)
        tail.append(Array("complaint\n".utf8)[...], from: .standardError)
        tail.append(Array("and ended\n".utf8)[...], from: .standardOutput)
        #expect(tail.lines == ["complaint", "begun and ended"])
    }

    @Test("so many lines are kept and no more, an unfinished one counted")
    func count() {
        let lines = (1...1000).map(String.init)
        #expect(self.tail(lines.joined(separator: "\n")).lines == lines.suffix(OutputTail.lineLimit))
        #expect(self.tail(lines.joined(separator: "\n") + "\n").lines == lines.suffix(OutputTail.lineLimit))
    }

    @Test("of a long line the beginning is kept, without half a character at its end")
    func long() {
        let limit = OutputTail.lengthLimit
        #expect(
            self.tail(String(repeating: "x", count: 5000) + "\ny").lines == [String(repeating: "x", count: limit), "y"])
        for shift in 0..<4 {
            let line = String(repeating: "x", count: shift) + String(repeating: "\u{1F600}", count: 500)
            let kept = self.tail(line + "\n").lines
            #expect(kept.count == 1 && line.hasPrefix(kept[0]))
            #expect((limit - 3...limit).contains(kept[0].utf8.count))
        }
    }

    @Test("what is no UTF-8 is repaired")
    func repaired() {
        var tail = OutputTail()
        tail.append([0x61, 0xff, 0xc3, 0x28, 10], from: .standardOutput)
        #expect(tail.lines == ["a\u{FFFD}\u{FFFD}("])
    }

    @Test("of the report of a crash the head and the frames of the thread that crashed are kept")
    func crashReport() {
        let report = """
            Main.swift:3: Fatal error: on purpose
            swift-runtime: failed to suspend thread 17 while processing a crash; backtraces will be missing information

            *** Signal 4: Backtracing from 0x7f353b6f9361... done ***

            *** Program crashed: Illegal instruction at 0x00007f353b6f9361 ***

            Platform: x86_64 Linux (Debian GNU/Linux 12 (bookworm))

            Thread 0 "main":

              0  0x00007f5d5b2a4f16 __futex_abstimed_wait_common + 198 in libc.so.6
            ...

            Thread 1 "mesh-1" crashed:

              0      0x00007f353b6f9361 closure #1 in _assertionFailure + 623 in libswiftCore.so
              1 [ra] 0x000055f59a0ce061 Noisy.End.happen() + 4016 in main
            ...


            Registers:

            rax 0x0000000000000000  0

            Images (13 omitted):

            0x00007f8d0c000000 libc.so.6

            Backtrace took 0.05s

            """
        #expect(
            self.tail("before\n", errors: [report + "after\n"]).lines == [
                "before", "Main.swift:3: Fatal error: on purpose",
                "*** Program crashed: Illegal instruction at 0x00007f353b6f9361 ***",
                "  0      0x00007f353b6f9361 closure #1 in _assertionFailure + 623 in libswiftCore.so",
                "  1 [ra] 0x000055f59a0ce061 Noisy.End.happen() + 4016 in main", "after",
            ])
    }
}
