import MeshCore
import MeshRuntime
import Testing

@Suite("StreamBuffer")
struct StreamBufferTests {
    private func buffer(limit: Int = 2, skips: Bool = false, backlog: [Int] = []) -> StreamBuffer<Int> {
        StreamBuffer(limit: limit, skipsOldest: skips, backlog: backlog)
    }

    @Test("elements are given again until the reader asks for what follows them")
    func keepsUntilAcknowledged() {
        var buffer = self.buffer()
        #expect(buffer.offer(10) == .accepted)
        #expect(buffer.offer(11) == .accepted)
        #expect(buffer.batch(from: 0, limit: 9)?.elements == [10, 11])
        #expect(buffer.batch(from: 0, limit: 1)?.elements == [10])
        #expect(buffer.acknowledge(upTo: 1, now: 5) == [])
        #expect(buffer.batch(from: 1, limit: 9)?.elements == [11])
        #expect(buffer.batch(from: 2, limit: 9) == nil)
    }

    @Test("a full buffer accepts what waited, in order, once the reader has taken something")
    func waitersAreServedInOrder() {
        var buffer = self.buffer()
        for number in 0..<2 { #expect(buffer.offer(number) == .accepted) }
        #expect(buffer.offer(2) == .full)
        buffer.wait(100, with: 2, now: 1)
        buffer.wait(101, with: 3, now: 2)
        #expect(buffer.acknowledge(upTo: 1, now: 3) == [100])
        // The one that waits goes first.
        #expect(buffer.offer(4) == .full)
        #expect(buffer.acknowledge(upTo: 2, now: 4) == [101])
        #expect(buffer.batch(from: 2, limit: 9)?.elements == [2, 3])
    }

    @Test("a writer that gives up waiting leaves no element behind")
    func cancelledWaiter() {
        var buffer = self.buffer(limit: 1)
        #expect(buffer.offer(0) == .accepted)
        buffer.wait(100, with: 1, now: 1)
        buffer.wait(101, with: 2, now: 1)
        #expect(buffer.removeWaiter(100) == true)
        #expect(buffer.removeWaiter(100) == false)
        #expect(buffer.acknowledge(upTo: 1, now: 2) == [101])
        #expect(buffer.batch(from: 1, limit: 9)?.elements == [2])
    }

    @Test("an element that is pushed past the limit crowds the buffer until the reader comes back to the limit")
    func pushing() {
        var buffer = self.buffer(limit: 2)
        for number in 0..<4 { buffer.push(number) }
        #expect(buffer.isCrowded)
        buffer.wait(100, with: nil, now: 1)
        #expect(buffer.acknowledge(upTo: 1, now: 2) == [])
        #expect(buffer.acknowledge(upTo: 2, now: 3) == [100])
        #expect(!buffer.isCrowded)
        #expect(buffer.batch(from: 2, limit: 9)?.elements == [2, 3])
    }

    @Test("what is there from the start raises the limit")
    func backlog() {
        var buffer = self.buffer(limit: 1, backlog: [7, 8, 9])
        #expect(buffer.offer(10) == .accepted)
        #expect(buffer.offer(11) == .full)
        #expect(buffer.batch(from: 0, limit: 9)?.elements == [7, 8, 9, 10])
    }

    @Test("skipping drops the oldest, and the batch begins behind the gap")
    func skipping() {
        var buffer = self.buffer(limit: 2, skips: true)
        for number in 0..<5 { #expect(buffer.offer(number) == .accepted) }
        let batch = buffer.batch(from: 0, limit: 9)
        #expect(batch?.first == 3)
        #expect(batch?.elements == [3, 4])
    }

    @Test("the end comes with the last elements, and again to a reader that asks again")
    func finishing() {
        var buffer = self.buffer()
        #expect(buffer.offer(0) == .accepted)
        #expect(buffer.offer(1) == .accepted)
        #expect(buffer.finish(.finished) == [])
        #expect(buffer.finish(.finished) == nil)
        #expect(buffer.offer(2) == .ended)
        #expect(buffer.batch(from: 0, limit: 1)?.end == nil)
        #expect(buffer.batch(from: 0, limit: 2)?.end != nil)
        #expect(buffer.batch(from: 2, limit: 2)?.end != nil)
    }

    @Test("a reader that is cut off learns how many it has not taken, wherever it was")
    func cuttingOff() {
        var buffer = self.buffer(limit: 3)
        for number in 0..<3 { #expect(buffer.offer(number) == .accepted) }
        buffer.wait(100, with: 3, now: 1)
        #expect(buffer.finish(.cutOff(after: 5_000_000_000)) == [100])
        #expect(buffer.elements.isEmpty)
        for (from, missed) in [(UInt64(0), 3), (2, 1), (3, 0)] {
            let error = buffer.batch(from: from, limit: 9)?.end?.error as? MeshError
            #expect(error?.code == .slowConsumer)
            #expect(error?.message.contains("missed \(missed) elements") == true)
        }
    }

    @Test("a reader stalls its writer from the time at which it last did something")
    func stalling() {
        var buffer = self.buffer(limit: 1)
        #expect(buffer.offer(0) == .accepted)
        #expect(buffer.stalledSince == nil)
        buffer.wait(100, with: 1, now: 10)
        #expect(buffer.stalledSince == 10)
        #expect(buffer.acknowledge(upTo: 0, now: 20) == [])
        #expect(buffer.stalledSince == 20)
        #expect(buffer.acknowledge(upTo: 1, now: 30) == [100])
        #expect(buffer.stalledSince == nil)
    }

    @Test("an acknowledgement of what was never written does no harm")
    func foolishAcknowledgement() {
        var buffer = self.buffer()
        #expect(buffer.offer(0) == .accepted)
        #expect(buffer.acknowledge(upTo: .max, now: 1) == [])
        #expect(buffer.next == 1)
        #expect(buffer.offer(1) == .accepted)
        #expect(buffer.batch(from: 1, limit: 9)?.elements == [1])
    }
}
