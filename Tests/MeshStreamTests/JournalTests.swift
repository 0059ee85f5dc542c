import ActorMesh
import Logging
import MeshCore
import Testing

@Suite("Journal")
struct JournalTests {
    @Test("the oldest entries make room for the newest, and are counted")
    func dropsOldest() throws {
        // Half of the payload is room for seven texts of ten bytes.
        var journal = Journal<String>(maximumPayload: 2000, logger: Logger(label: "test"))
        for number in 0..<10 { _ = try journal.add("\(number)", text: 10) }
        #expect(journal.entries == (3..<10).map(String.init))
        #expect(journal.dropped == 3)
        #expect(journal.drain() == (3..<10).map(String.init))
        #expect(journal.entries.isEmpty)
        _ = try journal.add("again", text: 10)
        #expect(journal.entries == ["again"])
    }

    @Test("a text that alone is too large is refused")
    func refusesTooLarge() {
        var journal = Journal<String>(maximumPayload: 2000, logger: Logger(label: "test"))
        let error = #expect(throws: MeshError.self) { _ = try journal.add("x", text: 1000) }
        #expect(error?.code == .payloadTooLarge)
    }

    @Test("readers get what is kept and what comes, whatever is drained or dropped")
    func readers() async throws {
        var journal = Journal<Int>(maximumPayload: 2000, logger: Logger(label: "test"))
        _ = try journal.add(0, text: 10)
        let stream = journal.stream()
        for number in 1..<20 {
            let crowded = try journal.add(number, text: 10)
            #expect(crowded.isEmpty)
        }
        _ = journal.drain()
        var taken: [Int] = []
        for try await number in stream {
            taken.append(number)
            if taken.count == 20 { break }
        }
        #expect(taken == Array(0..<20))
    }
}
