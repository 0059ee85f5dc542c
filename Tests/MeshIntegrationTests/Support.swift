import ActorMesh
import MeshTesting

/// The code of the error that a body throws; nil when it throws none or another.
func codeThrown<Result>(by body: () async throws -> Result) async -> MeshError.Code? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? MeshError)?.code
    }
}

/// Asks again and again until something is so, for what no event tells of.
func poll(for limit: Duration = .seconds(60), _ isSo: () throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try isSo() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return false
}
