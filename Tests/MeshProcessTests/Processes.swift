import ActorMesh
import Glibc
import MeshFixtures
import Testing

/// The process ring: every test runs actors in real processes of their own. One test at a time, because each keeps
/// the machine busy by itself.
@Suite(.serialized, .timeLimit(processTestLimit))
enum Processes {}

/// Five minutes for each test, and as much as the chaos or the soak is asked for.
private let processTestLimit: TimeLimitTrait.Duration = .minutes(
    5 + minutes(askedBy: "CHAOS_SECONDS") + minutes(askedBy: "SOAK_SECONDS"))

/// Twice the time that a variable names.
private func minutes(askedBy variable: String) -> Int {
    guard let text = getenv(variable), let seconds = Double(String(cString: text)) else { return 0 }
    return Int(seconds / 30)
}

/// Runs a body on an embedded mesh whose workers are the fixtures program.
func withFixtures<Result: Sendable>(
    settings: MeshSettings = MeshSettings(), _ body: @Sendable (Mesh) async throws -> Result
) async throws -> Result {
    try await withMesh(fixturesConfiguration(settings: settings), body)
}

func fixturesConfiguration(settings: MeshSettings = MeshSettings()) -> MeshConfiguration {
    MeshConfiguration(
        program: Fixtures.program, workerExecutable: fixturesExecutable, warmWorkers: 1, settings: settings)
}

/// The fixtures program lies beside the program that runs the tests.
let fixturesExecutable: String = {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    let path = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        + "/mesh-fixtures"
}()

/// The code of the error that a body throws; nil when it throws none or another.
func codeThrown<Result>(by body: () async throws -> Result) async -> MeshError.Code? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? MeshError)?.code
    }
}
