import ActorMesh
import MeshFixtures

/// Every role of a mesh whose actors are the fixtures. As a driver it does what its first argument says.
@main
struct FixturesProgram: MeshProgram {
    static func bootstrap() { Fixtures.bootstrap() }

    static var configuration: MeshConfiguration {
        MeshConfiguration(
            program: Fixtures.program, warmWorkers: 1, registryStore: Fixtures.registryStore,
            settings: Fixtures.settings)
    }

    static func run(_ mesh: Mesh) async throws { try await Fixtures.drive(mesh) }
}
