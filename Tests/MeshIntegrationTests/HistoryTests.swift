import MeshTesting
import Testing

@Suite struct HistoryTests {
    private func history(_ entries: (String, Int)...) -> History {
        var history = History()
        for (caller, number) in entries { history.record(caller, number) }
        return history
    }

    @Test("what ran once and in order is in order, whatever other callers do in between")
    func good() {
        let history = history(("a", 0), ("b", 0), ("a", 1), ("a", 2), ("b", 1))
        #expect(history.duplicates == [])
        #expect(history.lost(of: ["a": 3, "b": 2]) == [])
        #expect(history.reordered == [])
    }

    @Test("a duplicate is found, and is nothing else")
    func duplicate() {
        let history = history(("a", 0), ("a", 1), ("a", 0), ("a", 2))
        #expect(history.duplicates == [History.Entry(caller: "a", number: 0)])
        #expect(history.lost(of: ["a": 3]) == [])
        #expect(history.reordered == [])
    }

    @Test("what is missing is found, and is nothing else")
    func lost() {
        let history = history(("a", 0), ("a", 2))
        #expect(history.lost(of: ["a": 4, "b": 1]).map(\.description) == ["a#1", "a#3", "b#0"])
        #expect(history.duplicates == [])
        #expect(history.reordered == [])
    }

    @Test("what comes late is found, and is nothing else")
    func reordered() {
        let history = history(("a", 0), ("a", 2), ("a", 1), ("a", 3))
        #expect(history.reordered.map(\.description) == ["a#1"])
        #expect(history.duplicates == [])
        #expect(history.lost(of: ["a": 4]) == [])
    }
}
