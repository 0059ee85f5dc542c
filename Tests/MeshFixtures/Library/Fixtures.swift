public import ActorMesh
import Glibc

/// What the fixtures program does as a driver.
public enum Fixtures {
    /// The name by which nodes know the program.
    public static let program = "mesh-fixtures"

    /// Makes an actor in a process of its own and one in a shared process, prints the process numbers of both on a
    /// line, and then waits to be killed.
    public static func drive(_ mesh: Mesh) async throws {
        let own = try await mesh.spawn(Blocker.self)
        let shared = try await mesh.spawn(Blocker.self, options: .init(placement: .shared))
        let processes = [try await own.processID(), try await shared.processID()]
        print("ready", processes.map(String.init).joined(separator: " "))
        fflush(nil)
        let witness = try await mesh.spawn(Witness.self, options: .init(placement: .shared))
        try await witness.wait(for: "the end of the world", count: 1)
    }
}
