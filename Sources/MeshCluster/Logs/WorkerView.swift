import FoundationEssentials
import Glibc
import MeshCore
package import MeshRuntime
import Synchronization

/// Shows a driver that joined a mesh what is printed and logged on its behalf, wherever that runs, as it comes to the
/// collector.
package final class WorkerView: Sendable {
    private struct State {
        var formatter = LogLineFormatter()
        var seen = SeenRecords()
        /// How far it has read.
        var start: LogReading.Start
        var following: Task<Void, any Error>?
    }

    private let style: WorkerOutputStyle
    private let reading: LogReading
    private let mesh: Mesh
    private let state: Mutex<State>
    private let write: @Sendable (String, _ descriptor: Int32) -> Void

    /// Begins with what is said from now on.
    ///
    /// - Parameter write: writes a line; may wait for a reader.
    /// - Throws: what a query of logs throws.
    package init(
        _ style: WorkerOutputStyle, on mesh: Mesh, write: @escaping @Sendable (String, _ descriptor: Int32) -> Void
    ) async throws {
        self.style = style
        self.mesh = mesh
        self.reading = LogReading(LogQuery(driver: mesh.address.peer), on: mesh)
        let end = try await LogReading(LogQuery(limit: 0), on: mesh).begin()
        self.state = Mutex(State(start: end))
        self.write = write
    }

    /// Shows what comes, until it is finished. Not on the mesh's threads, because it waits for the output.
    package func follow() {
        let following = Task.detached { try await self.read(follow: true) }
        self.state.withLock { $0.following = following }
    }

    /// Shows what the collector has by now that was not shown yet, and no more from then on.
    package func finish() async {
        defer { self.state.withLock { $0.following }?.cancel() }
        try? await self.mesh.withDeadline(.seconds(1)) {
            try await self.mesh.membership.ask { try await $0.collectOutput() }
            try await self.read(follow: false)
        }
    }

    private func read(follow: Bool) async throws {
        let start = self.state.withLock { $0.start }
        try await self.reading.run(
            start, follow: follow,
            reached: { place in self.state.withLock { $0.start = place } }
        ) { self.show($0) }
    }

    private func show(_ record: LogRecord) {
        self.state.withLock { state in
            guard state.seen.isNew(record) else { return }
            switch record.kind {
            case .output: self.write(self.line(record, &state), STDOUT_FILENO)
            case .errorOutput: self.write(self.line(record, &state), STDERR_FILENO)
            case .log, .gap: self.write(state.formatter.line(record), STDERR_FILENO)
            case .message, .crash: break
            }
        }
    }

    private func line(_ record: LogRecord, _ state: inout State) -> String {
        self.style == .plain ? record.text : state.formatter.line(record)
    }
}
