import ActorMesh
import FoundationEssentials
import MeshCore
import Synchronization

/// The newest records that were chosen, as a page shows them.
struct LogWindow: Sendable {
    var records: [LogRecord] = []
    /// How many came and went since the page was last made, because there were more than it shows.
    var passed = 0
    /// Tells this window from those before.
    var number: UInt64 = 0
}

/// Follows the log for one page that is open: the mesh is asked for what is new, not again and again for all of it. It
/// keeps as many records as the page shows, and counts those that pass in between.
final class LogTail: Sendable {
    private struct State {
        var hasBegun = false
        var records: [LogRecord] = []
        /// How many came since the last look.
        var new = 0
        var count: UInt64 = 0
        /// What each source said last, so that nothing comes twice when the mesh has to be asked anew.
        var last: [UniqueID: UInt64] = [:]
        var window = LogWindow()
    }

    let choice: LogChoice
    private let state = Mutex(State())
    /// Of so many sources it is remembered what they said last.
    private static let sourceLimit = 4096

    init(_ choice: LogChoice) { self.choice = choice }

    /// What to show now; nil when nothing has come yet.
    func look() -> LogWindow? {
        self.state.withLock { state in
            guard state.hasBegun else { return nil }
            if state.new > 0 {
                let shown = state.records.suffix(self.choice.limit)
                state.window = LogWindow(
                    records: Array(shown), passed: max(0, state.new - shown.count), number: state.count)
                state.new = 0
            }
            return state.window
        }
    }

    /// Begins with what was found before it followed.
    func begin(with records: [LogRecord]) {
        self.state.withLock { state in
            state.hasBegun = true
            for record in records { self.add(record, to: &state) }
        }
    }

    func add(_ record: LogRecord) {
        self.state.withLock { state in
            state.hasBegun = true
            self.add(record, to: &state)
        }
    }

    private func add(_ record: LogRecord, to state: inout State) {
        guard record.sequence > state.last[record.source] ?? 0 else { return }
        state.last[record.source] = record.sequence
        state.records.append(record)
        state.new += 1
        state.count += 1
        // Seldom, so that a record costs the same however many are shown.
        if state.records.count >= self.choice.limit * 2 {
            state.records.removeFirst(state.records.count - self.choice.limit)
        }
        if state.last.count > Self.sourceLimit {
            state.last = Dictionary(state.records.map { ($0.source, $0.sequence) }) { max($0, $1) }
        }
    }

    /// Follows until it is cancelled, and begins again when the mesh gave up.
    ///
    /// - Parameter time: how long the mesh may search for what is there already.
    func follow(_ source: any MeshSource, within time: Duration) async {
        while !Task.isCancelled {
            do {
                let query = self.choice.query(at: .now)
                let stream = try await source.asked(within: time) { try await source.follow(query) }
                for try await record in stream { self.add(record) }
            } catch {
                // Why nothing can be read is what the page says, which asks as well.
            }
            try? await Task.sleep(for: .seconds(1))
        }
    }
}
