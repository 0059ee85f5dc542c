import ActorMesh
import FoundationEssentials
import Glibc
import StreamFixtureActors

/// A mesh whose workers run the fixture program, which has the same actors as the tests.
func withFixtureMesh<Result: Sendable>(
    _ settings: MeshSettings = fixtureSettings, _ body: @Sendable (Mesh) async throws -> Result
) async throws -> Result {
    try await withMesh(
        MeshConfiguration(workerExecutable: try fixtureExecutable(), warmWorkers: 2, settings: settings), body)
}

/// The fixture program stands beside the tests' own.
private func fixtureExecutable() throws -> String {
    var candidates: [String] = []
    if let own = ownExecutable() { candidates.append(own) }
    candidates += CommandLine.arguments.filter { $0.hasSuffix(".xctest") }
    for candidate in candidates {
        let folder = candidate.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let path = folder + "/stream-fixture"
        if access(path, X_OK) == 0 { return path }
    }
    throw MeshError(.systemFailure, "There is no stream-fixture beside \(candidates).")
}

private func ownExecutable() -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
