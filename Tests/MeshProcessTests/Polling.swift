import Testing

/// Asks again and again until something is so. For what no event tells of: other processes in the process table, and
/// reports that are still under way.
func poll(
    for limit: Duration = .seconds(60), _ isSo: () async throws -> Bool,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let end = ContinuousClock.now + limit
    while try await !isSo() {
        guard ContinuousClock.now < end else {
            Issue.record("It was not so within \(limit).", sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}
