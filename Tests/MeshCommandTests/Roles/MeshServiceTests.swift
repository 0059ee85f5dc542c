import ActorMesh
import Logging
import ServiceLifecycle
import Testing

@Suite("A mesh as a service")
struct MeshServiceTests {
    /// A service that asks the mesh something, and again while the group shuts down.
    private struct Server: Service {
        var mesh: Mesh
        var report: @Sendable (String) -> Void

        func run() async throws {
            self.report("began with \(try await self.mesh.nodes().count) node")
            try await gracefulShutdown()
            self.report("ended with \(try await self.mesh.nodes().count) node")
        }
    }

    @Test("it runs in a group, is there until the services after it have ended, and ends with the group")
    func group() async throws {
        let (reports, continuation) = AsyncStream.makeStream(of: String.self)
        // Without warm workers no worker process is started: this one asks for none.
        try await withMesh(MeshConfiguration(warmWorkers: 0)) { mesh in
            let server = Server(mesh: mesh) { continuation.yield($0) }
            let group = ServiceGroup(services: [mesh, server], logger: Logger(label: "test"))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                var lines = reports.makeAsyncIterator()
                #expect(await lines.next() == "began with 1 node")
                await group.triggerGracefulShutdown()
                #expect(await lines.next() == "ended with 1 node")
                try await tasks.waitForAll()
            }
            #expect(try await mesh.nodes().count == 1)
        }
    }
}
