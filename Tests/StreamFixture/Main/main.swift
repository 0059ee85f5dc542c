import ActorMesh
import StreamFixtureActors

// A worker of the tests' meshes. Without one it does nothing.
try await withMesh(MeshConfiguration(settings: fixtureSettings)) { _ in }
