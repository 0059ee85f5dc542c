import MeshCore
import Testing

@Suite struct UniqueIDTests {
    @Test("an ID is read from what it says of itself")
    func roundTrip() {
        for _ in 0..<100 {
            let id = UniqueID.make()
            #expect(UniqueID(id.description) == id)
            #expect(id.description.utf8.count == 32)
            #expect(id.description.contains(id.short))
        }
        #expect(UniqueID(high: 0, low: 1).description == "00000000000000010000000000000000")
    }

    @Test(
        "other texts are no IDs",
        arguments: [
            "", "0", "00000000000000000000000000000001 ", "0000000000000000000000000000000g",
            "+0000000000000000000000000000001", "000000000000000-0000000000000001", "é00000000000000000000000000000",
        ])
    func refused(text: String) { #expect(UniqueID(text) == nil) }

    @Test("random IDs are never reserved, and never the same")
    func random() {
        let ids = (0..<10_000).map { _ in UniqueID.make() }
        #expect(Set(ids).count == ids.count)
        #expect(!ids.contains { $0.isReserved })
        #expect(UniqueID(high: 0, low: 7).isReserved)
        #expect(UniqueID(high: 0, low: 7).short == "7")
    }

    @Test("an object's ID says who owns it; other IDs have no owner")
    func owners() {
        let ids = (0..<10_000).map { _ in UniqueID.makeObject(of: PeerID(7)) }
        #expect(Set(ids).count == ids.count)
        #expect(ids.allSatisfy { $0.owner == PeerID(7) })
        #expect((0..<10_000).allSatisfy { _ in UniqueID.make().owner == nil })
        #expect(UniqueID(high: 0, low: 7).owner == nil)
    }
}
