import UnixSignals

/// The request to end, by SIGTERM or SIGINT. From when it is made, those signals no longer end the process at once.
package struct TerminationSignal: Sendable {
    private let signals: UnixSignalsSequence

    /// Begins to take the signals.
    package init() async { self.signals = await UnixSignalsSequence(trapping: .sigterm, .sigint) }

    /// Returns when the process is told to end, or when the waiting task is cancelled.
    package func wait() async {
        for await _ in self.signals { return }
    }

    /// Runs code until it returns or the process is told to end; then it is cancelled.
    package func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return false
            }
            group.addTask {
                await self.wait()
                return true
            }
            let isTold: Bool?
            do {
                isTold = try await group.next()
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
            // What the code says of its cancellation is of no interest.
            if isTold == true { while await group.nextResult() != nil {} }
        }
    }
}
