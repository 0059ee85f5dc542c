import MeshRuntime
import MeshTransportInProcess
import Synchronization
import Testing

@Suite struct TimerQueueTests {
    /// What has run, in order.
    private final class Record: Sendable {
        private let names = Mutex<[String]>([])
        func note(_ name: String) -> @Sendable () -> Void { { self.names.withLock { $0.append(name) } } }
        var all: [String] { self.names.withLock { $0 } }
    }

    @Test("what is due runs in the order of its times, and of scheduling at the same time")
    func order() {
        let (queue, record) = (TimerQueue(), Record())
        _ = queue.schedule(at: 30, record.note("c"))
        _ = queue.schedule(at: 10, record.note("a1"))
        _ = queue.schedule(at: 20, record.note("b"))
        _ = queue.schedule(at: 10, record.note("a2"))
        #expect(queue.run(now: 9) == 10)
        #expect(record.all == [])
        #expect(queue.run(now: 20) == 30)
        #expect(record.all == ["a1", "a2", "b"])
        #expect(queue.run(now: .max) == nil)
        #expect(record.all == ["a1", "a2", "b", "c"])
    }

    @Test("only the earliest says that it is next")
    func next() {
        let queue = TimerQueue()
        #expect(queue.schedule(at: 20, {}).isNext)
        #expect(!queue.schedule(at: 30, {}).isNext)
        #expect(!queue.schedule(at: 20, {}).isNext)
        #expect(queue.schedule(at: 10, {}).isNext)
    }

    @Test("a cancelled action does not run, and cancelling again or too late is no error")
    func cancel() {
        let (queue, record) = (TimerQueue(), Record())
        let tokens = (0..<5).map { queue.schedule(at: 10, record.note("\($0)")).token }
        queue.cancel(tokens[2])
        queue.cancel(tokens[2])
        #expect(queue.run(now: 10) == nil)
        queue.cancel(tokens[0])
        #expect(record.all == ["0", "1", "3", "4"])
    }

    @Test("an action may schedule and cancel others")
    func reentrant() {
        let (queue, record) = (TimerQueue(), Record())
        let victim = queue.schedule(at: 2, record.note("victim")).token
        _ = queue.schedule(at: 1) {
            queue.cancel(victim)
            _ = queue.schedule(at: 1, record.note("at once"))
            _ = queue.schedule(at: 9, record.note("later"))
        }
        #expect(queue.run(now: 5) == 9)
        #expect(record.all == ["at once"])
    }

    @Test("thousands of timers at random times run sorted, and only those that were not cancelled", arguments: 0..<5)
    func random(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let queue = TimerQueue()
        let ran = Mutex<[UInt64]>([])
        var expected: [UInt64] = []
        for _ in 0..<3000 {
            let time = UInt64.random(in: 0..<1000, using: &generator)
            let token = queue.schedule(at: time) { ran.withLock { $0.append(time) } }.token
            if Bool.random(using: &generator) { queue.cancel(token) } else { expected.append(time) }
        }
        for now in stride(from: UInt64(0), through: 1000, by: 50) {
            let next = queue.run(now: now)
            #expect(next.map { $0 > now } ?? true)
        }
        #expect(ran.withLock { $0 } == expected.sorted())
    }
}
