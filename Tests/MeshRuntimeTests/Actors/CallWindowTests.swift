import Testing

@testable import MeshRuntime

@Suite struct CallWindowTests {
    @Test("calls and one-way messages share one window")
    func shared() {
        var window = CallWindow(limit: 3)
        let admitted = (0..<4).map { window.admit(isOneWay: $0 % 2 == 0, bytes: 0) }
        #expect(admitted == [true, true, true, false])
        #expect(window.outstanding == 3)
        // That it leaves does not make room; that it has run does.
        window.sent(tellOf: 0)
        #expect(window.outstanding == 3)
        let makesRoom = window.credit(1)
        #expect(makesRoom)
        #expect(window.outstanding == 2)
        window.release(isOneWay: false, bytes: 0)
        window.release(isOneWay: true, bytes: 0)
        #expect(window.outstanding == 0)
    }

    @Test("one call is admitted however large it is, the next when there is room for its bytes")
    func bytes() {
        var window = CallWindow(limit: 100)
        let first = window.admit(isOneWay: false, bytes: 1 << 30)
        let second = window.admit(isOneWay: true, bytes: 5000)
        let small = window.admit(isOneWay: true, bytes: 0)
        #expect([first, second, small] == [true, false, true])
        window.release(isOneWay: false, bytes: 1 << 30)
        let third = window.admit(isOneWay: true, bytes: 5000)
        #expect(third)
        #expect(window.bytes == 5000)
    }

    @Test("the bytes of a large message are given back with its credit")
    func largeTells() {
        var window = CallWindow(limit: 100)
        for bytes in [0, 6000, 0, 7000] {
            _ = window.admit(isOneWay: true, bytes: bytes)
            window.sent(tellOf: bytes)
        }
        #expect(window.wantsCredit)
        _ = window.credit(1)
        #expect(window.bytes == 13_000)
        _ = window.credit(2)
        #expect(window.bytes == 7000)
        _ = window.credit(1)
        #expect(window.bytes == 0)
        #expect(window.outstanding == 0)
    }

    @Test("credit is asked for four times in a window")
    func asking() {
        var window = CallWindow(limit: 8)
        var asked: [Bool] = []
        for _ in 0..<8 {
            _ = window.admit(isOneWay: true, bytes: 0)
            asked.append(window.wantsCredit)
            window.sent(tellOf: 0)
        }
        #expect(asked == [false, true, false, true, false, true, false, true])
    }

    @Test("more credit than there is to give is cut, also when it comes for what was written off")
    func tooMuch() {
        var window = CallWindow(limit: 4)
        for _ in 0..<3 { _ = window.admit(isOneWay: true, bytes: 9000) }
        for _ in 0..<2 { window.sent(tellOf: 9000) }
        window.writeOffTells()
        // The one that has not left is still counted.
        #expect(window.outstanding == 1)
        #expect(window.bytes == 9000)
        let isNews = window.credit(.max)
        #expect(!isNews)
        window.sent(tellOf: 9000)
        let isLate = window.credit(.max)
        #expect(isLate)
        #expect(window.outstanding == 0)
        #expect(window.bytes == 0)
    }
}
