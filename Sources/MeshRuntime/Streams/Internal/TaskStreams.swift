package import MeshCore
import Synchronization

/// The streams that a task has passed to other processes: it is not over before they are read, or nobody reads them and
/// those who write them have heard so and are done.
package final class TaskStreams: Sendable {
    private struct State {
        var open: [UniqueID: any RegisteredStream] = [:]
        /// Completed when no stream is left.
        var end: PendingObject<Bool>?
    }

    private let state = Mutex(State())

    package init() {}

    /// Whether there is nothing to wait for.
    package var isEmpty: Bool { self.state.withLock { $0.open.isEmpty } }

    func add(_ stream: any RegisteredStream, _ id: UniqueID) { self.state.withLock { $0.open[id] = stream } }

    func remove(_ id: UniqueID) {
        // What a stream still holds may end here: not under the lock.
        let (stream, end) = self.state.withLock { state in
            let stream = state.open.removeValue(forKey: id)
            guard state.open.isEmpty else { return (stream, nil as PendingObject<Bool>?) }
            defer { state.end = nil }
            return (stream, state.end)
        }
        withExtendedLifetime(stream) {}
        end?.complete(.success(true))
    }

    /// Returns when none is left, or the waiting task is cancelled.
    ///
    /// - Returns: whether none is left.
    package func wait() async -> Bool {
        while !Task.isCancelled, let end = self.end { await end.wait() }
        return self.isEmpty
    }

    /// What is complete when none is left; nil when none is.
    private var end: PendingObject<Bool>? {
        self.state.withLock { state in
            guard !state.open.isEmpty else { return nil }
            let end = state.end ?? PendingObject(UniqueID.make())
            state.end = end
            return end
        }
    }

    /// Ends all of them: their writers are told, and their readers get the error.
    package func end(with error: MeshError) {
        let streams = self.state.withLock { Array($0.open.values) }
        for stream in streams { stream.finish(.lost(error)) }
    }

    /// Keeps nothing for readers any more; writers may still be at work.
    package func forgetReaders(on mesh: Mesh) {
        let ids = self.state.withLock { Array($0.open.keys) }
        for id in ids { mesh.streams.remove(id) }
    }
}
