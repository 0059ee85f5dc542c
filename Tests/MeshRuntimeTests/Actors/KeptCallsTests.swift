import Testing

@testable import MeshRuntime

@Suite struct KeptCallsTests {
    @Test("all calls are numbered, also those that are not kept")
    func numbers() {
        var calls = KeptCalls<String>()
        let number1 = calls.pass()
        #expect(number1 == 1)
        #expect(calls.isEmpty)
        #expect(calls.first == 2)
        let number2 = calls.keep("a", .unsent)
        #expect(number2 == 2)
        let number3 = calls.pass()
        #expect(number3 == 3)
        let number4 = calls.keep("b", .sent(1))
        #expect(number4 == 4)
        #expect(calls.next == 5)
        #expect(calls.sequences == [2, 4])
    }

    @Test("the lowest number is that of the first call whose outcome is not known")
    func lowest() {
        var calls = KeptCalls<Int>(first: 100)
        for number in 0..<5 { _ = calls.keep(number, .sent(1)) }
        calls.remove(102)
        #expect(calls.first == 100)
        calls.remove(100)
        #expect(calls.first == 101)
        calls.remove(101)
        #expect(calls.first == 103)
        #expect(calls.sequences == [103, 104])
        let removed = calls.removeAll()
        #expect(removed == [3, 4])
        #expect(calls.first == 105)
        #expect(calls.next == 105)
    }

    @Test("what is not kept cannot be found, changed or removed")
    func unknown() {
        var calls = KeptCalls<Int>(first: 10)
        _ = calls.keep(0, .unsent)
        #expect(calls[9] == nil)
        #expect(calls[11] == nil)
        calls[9] = calls[10]
        calls[11] = calls[10]
        #expect(calls.sequences == [10])
        let removed1 = calls.remove(11)
        #expect(removed1 == nil)
        let removed2 = calls.remove(10)
        #expect(removed2 == 0)
        let removed3 = calls.remove(10)
        #expect(removed3 == nil)
        #expect(calls.isEmpty)
    }

    @Test("numbers that are passed while others are kept leave no trace when those are gone")
    func gaps() {
        var calls = KeptCalls<Int>()
        _ = calls.keep(0, .unsent)
        for _ in 0..<1000 { _ = calls.pass() }
        #expect(calls.sequences == [1])
        calls.remove(1)
        #expect(calls.isEmpty)
        #expect(calls.first == 1002)
    }
}
