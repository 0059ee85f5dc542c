import Foundation
import Logging
import Testing

@testable import MeshDashboard

extension HTTPClient {
    /// The code by which one signs in to a dashboard that ``serve(_:credentials:isPrivate:_:)`` runs.
    static let code = "0123456789abcdef"
}

/// Runs a dashboard of a mesh for somebody who asks it.
func serve(
    _ mesh: MadeUpMesh, credentials: Credentials = .code(HTTPClient.code, file: "/run/code"), isPrivate: Bool = false,
    _ body: @escaping @Sendable (HTTPClient) async throws -> Void
) async throws {
    let (addresses, continuation) = AsyncStream.makeStream(of: String.self)
    let dashboard = try Dashboard(
        source: mesh,
        DashboardConfiguration(
            port: 0, allowedHosts: ["mesh.example"], isPrivate: isPrivate, refreshInterval: .milliseconds(20)),
        credentials: credentials, meshName: "a <mesh>", logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) { continuation.yield($0) }
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await dashboard.run() }
        group.addTask {
            let address = try #require(await addresses.first { _ in true })
            let port = try #require(URL(string: address)?.port)
            try await body(HTTPClient(port: UInt16(port)))
        }
        try await group.next()
        group.cancelAll()
    }
}
