import ActorMesh
import FoundationEssentials
import Synchronization

/// What happened in the mesh since this dashboard looks, as far as it is remembered.
final class EventHistory: Sendable {
    /// So many events are remembered.
    static let capacity = 500

    private struct State {
        var events: [(number: UInt64, event: MeshEvent)] = []
        var next: UInt64 = 1
        /// How many events were missed, because there were more than could be read.
        var missed: UInt64 = 0
    }

    private let state = Mutex(State())
    /// Since when.
    let startDate = Date()

    /// The last events, the newest first.
    func last(_ count: Int) -> [MeshEvent] { self.state.withLock { $0.events.suffix(count).reversed().map(\.event) } }

    /// Those after a number, and the number of the last.
    func events(after number: UInt64) -> (events: [(number: UInt64, event: MeshEvent)], last: UInt64) {
        self.state.withLock { state in (state.events.filter { $0.number > number }, state.next - 1) }
    }

    /// How many were missed.
    var missed: UInt64 { self.state.withLock { $0.missed } }

    func add(_ event: MeshEvent) {
        self.state.withLock { state in
            state.events.append((state.next, event))
            state.next += 1
            if state.events.count > Self.capacity * 5 / 4 {
                state.events.removeFirst(state.events.count - Self.capacity)
            }
        }
    }

    func miss(_ count: UInt64) { self.state.withLock { $0.missed += count } }

    /// Listens until it is cancelled, and again whenever the broker has been away.
    func follow(_ source: any MeshSource) async {
        while !Task.isCancelled {
            do {
                let stream = try await source.asked(within: .seconds(5)) { try await source.events() }
                for try await element in stream.reportingGaps {
                    switch element {
                    case .element(let event): self.add(event)
                    case .missed(let count): self.miss(UInt64(count))
                    }
                }
            } catch {
                // The broker is away, which the pages say.
            }
            try? await Task.sleep(for: .seconds(1))
        }
    }
}
