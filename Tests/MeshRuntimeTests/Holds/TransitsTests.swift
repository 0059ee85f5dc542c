import MeshCore
import MeshRuntime
import Testing

@Suite("Handles on their way")
struct TransitsTests {
    @Test("only the receiver of a message ends its pins, and only once")
    func forgery() {
        var transits = Transits<String>()
        #expect(transits.add(["a", "b"], to: PeerID(1)) == 1)
        #expect(transits.add(["c"], to: PeerID(1)) == 2)
        #expect(transits.remove([1], to: PeerID(2)) == [])
        #expect(transits.remove([100, 0, .max], to: PeerID(1)) == [])
        #expect(transits.remove([1, 1], to: PeerID(1)) == ["a", "b"])
        #expect(transits.remove([1], to: PeerID(1)) == [])
        #expect(transits.count == 1)
        #expect(transits.removeAll(to: PeerID(1)) == ["c"])
        #expect(transits.remove([2], to: PeerID(1)) == [])
        #expect(transits.count == 0)
    }

    @Test("a process that never answers is not sent more than so many")
    func bounds() {
        var transits = Transits<Int>()
        for number in 0..<Transits<Int>.limit { #expect(transits.add([number], to: PeerID(1)) != nil) }
        #expect(transits.add([0], to: PeerID(1)) == nil)
        #expect(transits.add([0], to: PeerID(2)) != nil)
        #expect(transits.removeAll(to: PeerID(1)).count == Transits<Int>.limit)
        #expect(transits.add([0], to: PeerID(1)) != nil)
    }
}
