public import MeshRuntime
public import ServiceLifecycle

/// A mesh as one of the services of a program.
///
/// ```swift
/// try await withMesh { mesh in
///     let group = ServiceGroup(
///         services: [mesh, server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
///     try await group.run()
/// }
/// ```
///
/// List it before the services that use it: they are shut down in the opposite order, so the mesh is still there for
/// their last calls. The scope that made the mesh takes it down.
extension Mesh: Service {
    /// Returns when the group shuts down gracefully.
    ///
    /// - Throws: `CancellationError` when the group is cancelled.
    public func run() async throws { try await gracefulShutdown() }
}
