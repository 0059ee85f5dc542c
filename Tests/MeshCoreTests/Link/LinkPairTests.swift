import MeshCore
import Testing

@Suite struct LinkPairTests {
    @Test("the first message begins the link from the peer, also one that acknowledges nothing yet")
    func first() {
        var pair = LinkPair(own: 10)
        #expect(pair.acknowledgement(0) == (0, 0))
        #expect(pair.judge(epoch: 0, acknowledgedEpoch: 0, acknowledged: 0) == .current)
        #expect(pair.theirs == 0)
        #expect(pair.judge(epoch: 5, acknowledgedEpoch: 0, acknowledged: 0) == .begun)
        #expect(pair.judge(epoch: 5, acknowledgedEpoch: 10, acknowledged: 1) == .current)
        #expect(pair.judge(epoch: 4, acknowledgedEpoch: 10, acknowledged: 1) == .stale)
        #expect(pair.acknowledgement(3) == (5, 3))
    }

    @Test("a peer that begins anew and has given nothing up leaves the link to it as it is")
    func begun() {
        var pair = LinkPair(own: 10)
        _ = pair.judge(epoch: 5, acknowledgedEpoch: 0, acknowledged: 0)
        #expect(pair.judge(epoch: 6, acknowledgedEpoch: 10, acknowledged: 7) == .begun)
        #expect(pair.theirs == 6)
        // It gave up an earlier one than this, before it knew of this.
        #expect(pair.judge(epoch: 7, acknowledgedEpoch: 9, acknowledged: .max) == .begun)
    }

    @Test("a peer that has given up the link to it has forgotten both", arguments: [0, 5] as [UInt64])
    func forgotten(theirs: UInt64) {
        var pair = LinkPair(own: 10)
        if theirs > 0 { _ = pair.judge(epoch: theirs, acknowledgedEpoch: 0, acknowledged: 0) }
        #expect(pair.judge(epoch: 6, acknowledgedEpoch: 10, acknowledged: .max) == .forgotten)
        #expect(pair.theirs == theirs)
        var next = LinkPair(own: 11, givenUp: pair.lastGivenUp)
        #expect(next.judge(epoch: 6, acknowledgedEpoch: 10, acknowledged: .max) == .begun)
    }

    @Test("links that were given up stay so, and the peer is told until it begins another")
    func givenUp() {
        var pair = LinkPair(own: 10)
        _ = pair.judge(epoch: 5, acknowledgedEpoch: 0, acknowledged: 0)
        var next = LinkPair(own: 11, givenUp: pair.lastGivenUp)
        #expect(next.judge(epoch: 5, acknowledgedEpoch: 10, acknowledged: 3) == .givenUp)
        #expect(next.judge(epoch: 4, acknowledgedEpoch: 10, acknowledged: 3) == .givenUp)
        #expect(next.acknowledgement(0) == (5, .max))
        #expect(next.lastGivenUp == 5)
        #expect(next.judge(epoch: 6, acknowledgedEpoch: 11, acknowledged: 0) == .begun)
        #expect(next.acknowledgement(0) == (6, 0))
        #expect(next.lastGivenUp == 6)
    }
}
