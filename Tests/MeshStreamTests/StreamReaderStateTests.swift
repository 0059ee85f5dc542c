import MeshCore
import MeshRuntime
import Testing

@Suite("StreamReaderState")
struct StreamReaderStateTests {
    /// What a step gives, in a word.
    private func describe(_ step: StreamReaderState<Int>.Step) -> String {
        switch step {
        case .give(.element(let element), let acknowledge):
            acknowledge.map { "\(element), acknowledge \($0)" } ?? "\(element)"
        case .give(.missed(let count), _): "missed \(count)"
        case .fetch: "fetch"
        case .end: "end"
        case .fail(let error): "fail \((error as? MeshError)?.code.description ?? "?")"
        case .busy: "busy"
        }
    }

    @Test("half of the window taken is told to the writer; the rest goes with the next question")
    func acknowledges() throws {
        var state = StreamReaderState<Int>(window: 4)
        #expect(self.describe(state.step(now: 0)) == "fetch")
        try state.receive(StreamBatch(first: 0, elements: [10, 11, 12], end: nil), now: 0)
        #expect(self.describe(state.step(now: 0)) == "10")
        #expect(self.describe(state.step(now: 0)) == "11, acknowledge 2")
        #expect(self.describe(state.step(now: 0)) == "12")
        #expect(self.describe(state.step(now: 0)) == "fetch")
        #expect(state.next == 3)
    }

    @Test("a reader that comes back late tells at once what it has taken")
    func acknowledgesLate() throws {
        var state = StreamReaderState<Int>(window: 1000)
        _ = state.step(now: 0)
        try state.receive(StreamBatch(first: 0, elements: [10, 11, 12], end: nil), now: 0)
        #expect(self.describe(state.step(now: 0)) == "10")
        #expect(self.describe(state.step(now: 600_000_000)) == "11, acknowledge 2")
    }

    @Test("a gap is given before the elements behind it")
    func gaps() throws {
        var state = StreamReaderState<Int>(window: 4)
        _ = state.step(now: 0)
        try state.receive(StreamBatch(first: 5, elements: [15], end: .finished), now: 0)
        #expect(self.describe(state.step(now: 0)) == "missed 5")
        #expect(self.describe(state.step(now: 0)) == "15")
        #expect(self.describe(state.step(now: 0)) == "end")
    }

    @Test("the error at the end is thrown once, behind the last element")
    func failing() throws {
        var state = StreamReaderState<Int>(window: 4)
        _ = state.step(now: 0)
        let end = StreamEnd.failed(MeshError(.actorDied, "x"))
        try state.receive(StreamBatch(first: 0, elements: [10], end: end), now: 0)
        #expect(self.describe(state.step(now: 0)) == "10")
        #expect(self.describe(state.step(now: 0)) == "fail actorDied")
        #expect(self.describe(state.step(now: 0)) == "end")
    }

    @Test("a question that failed for the moment is asked again; a second one at the same time is refused")
    func asksAgain() {
        var state = StreamReaderState<Int>(window: 4)
        #expect(self.describe(state.step(now: 0)) == "fetch")
        #expect(self.describe(state.step(now: 0)) == "busy")
        state.fetchFailed(isFinal: false)
        #expect(self.describe(state.step(now: 0)) == "fetch")
        state.fetchFailed(isFinal: true)
        #expect(self.describe(state.step(now: 0)) == "end")
    }

    @Test("an answer that goes back is refused")
    func refusesRepetition() throws {
        var state = StreamReaderState<Int>(window: 4)
        _ = state.step(now: 0)
        try state.receive(StreamBatch(first: 0, elements: [10], end: nil), now: 0)
        _ = state.step(now: 0)
        _ = state.step(now: 0)
        #expect(throws: MeshError.self) {
            try state.receive(StreamBatch(first: 0, elements: [10], end: nil), now: 0)
        }
    }

    @Test("numbers that no writer can have reached are refused, and absurd windows are bounded")
    func refusesAbsurdNumbers() {
        var state = StreamReaderState<Int>(window: .max)
        #expect(state.window < .max)
        _ = state.step(now: 0)
        #expect(throws: MeshError.self) {
            try state.receive(StreamBatch(first: .max, elements: [10], end: nil), now: 0)
        }
    }
}
