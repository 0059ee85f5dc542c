/// That the broker does not come back, which ends a node as a signal does.
final class Abandonment: Sendable {
    private let declared: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (self.declared, self.continuation) = AsyncStream.makeStream(of: Void.self) }

    func declare() {
        self.continuation.yield()
        self.continuation.finish()
    }

    /// Waits until it is declared or the process is told to end. Returns whether it was the first.
    func isDeclared(before termination: TerminationSignal) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await _ in self.declared { return true }
                return false
            }
            group.addTask {
                await termination.wait()
                return false
            }
            let isDeclared = await group.next() ?? false
            group.cancelAll()
            return isDeclared
        }
    }
}
