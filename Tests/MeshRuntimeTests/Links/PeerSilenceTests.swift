import Testing

@testable import MeshRuntime

@Suite struct PeerSilenceTests {
    private static let second: UInt64 = 1_000_000_000
    private static let tick: UInt64 = 50_000_000

    /// Ticks every 50 ms. Returns when the silence was longer than the lease, and how often the peer was asked.
    private func wait(
        _ silence: inout PeerSilence, from start: UInt64, until end: UInt64, isAwaited: Bool = true,
        lease: UInt64 = 5 * second
    ) -> (givenUp: UInt64?, asked: Int) {
        var asked = 0
        for now in stride(from: start + Self.tick, through: end, by: Int(Self.tick)) {
            if silence.tick(now: now, isAwaited: isAwaited, heartbeat: Self.second, isAsked: false) { asked += 1 }
            if silence.length > lease { return (now, asked) }
        }
        return (nil, asked)
    }

    @Test("a peer for which somebody waits is asked at every heartbeat, and has been silent once the lease is over")
    func lease() throws {
        var silence = PeerSilence(now: 0)
        let (givenUp, asked) = self.wait(&silence, from: 0, until: 20 * Self.second)
        let time = try #require(givenUp)
        #expect(time > 5 * Self.second)
        #expect(time < 6 * Self.second)
        #expect(asked == 5)
    }

    @Test("a peer that answers is never silent")
    func answers() {
        var silence = PeerSilence(now: 0)
        for round in 0..<10 {
            let start = UInt64(round) * 4 * Self.second
            #expect(self.wait(&silence, from: start, until: start + 4 * Self.second).givenUp == nil)
            silence.heard(at: start + 4 * Self.second)
        }
    }

    @Test("a peer for which nobody waits is not asked, and its silence does not count")
    func idle() {
        var silence = PeerSilence(now: 0)
        let (givenUp, asked) = self.wait(&silence, from: 0, until: 60 * Self.second, isAwaited: false)
        #expect(givenUp == nil)
        #expect(asked == 0)
        #expect(self.wait(&silence, from: 60 * Self.second, until: 64 * Self.second).givenUp == nil)
    }

    @Test("the time in which this process was stopped itself does not count")
    func stopped() {
        var silence = PeerSilence(now: 0)
        #expect(self.wait(&silence, from: 0, until: 3_500_000_000).givenUp == nil)
        // Stopped for a minute, after three questions. The answers are read right after the first tick.
        _ = silence.tick(now: 63 * Self.second, isAwaited: true, heartbeat: Self.second, isAsked: false)
        #expect(silence.length < 5 * Self.second)
    }

    @Test("it is looked at again when the next question is due, and more often while one is unanswered")
    func next() {
        var silence = PeerSilence(now: 0)
        #expect(silence.nextTick(after: Self.tick, heartbeat: Self.second) == Self.second)
        _ = silence.tick(now: Self.second, isAwaited: true, heartbeat: Self.second, isAsked: false)
        #expect(silence.nextTick(after: Self.second, heartbeat: Self.second) == Self.second + PeerClock.interval)
    }
}
