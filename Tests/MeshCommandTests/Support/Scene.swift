import Foundation
import Synchronization
import Testing

/// The processes of one test. All of them end with it, and it is checked that their workers do.
final class Scene: Sendable {
    private let children = Mutex<[Child]>([])
    private let address = Mutex("")
    private let keyFile = Mutex("")

    /// Runs a test, and ends what it has started.
    static func run(_ body: (Scene) async throws -> Void) async throws {
        let scene = Scene()
        do {
            try await body(scene)
        } catch {
            for child in scene.all { Issue.record("\(child.name) wrote:\n\(child.output)") }
            await scene.end()
            throw error
        }
        await scene.end()
    }

    private var all: [Child] { self.children.withLock { $0 } }

    private func end() async {
        let workers = self.all.filter(\.isRunning).flatMap { MeshCommandTests.children(of: $0.processID) }
        for child in self.all.reversed() { child.end() }
        for child in self.all { _ = try? await child.status() }
        for worker in workers {
            await #expect(throws: Never.self, "worker \(worker) is left") { try await ended(worker) }
        }
    }

    /// Starts a program with the mesh's address in its environment.
    func start(_ program: String, _ arguments: String..., environment: [String: String] = [:]) throws -> Child {
        try self.start(program, arguments, environment: environment)
    }

    private func start(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws -> Child {
        let child = try Child(program, arguments, environment: self.environment.merging(environment) { $1 })
        self.children.withLock { $0.append(child) }
        return child
    }

    /// The same with a program of the system.
    func start(at executable: URL, _ arguments: String..., environment: [String: String] = [:]) throws -> Child {
        let child = try Child(at: executable, arguments, environment: self.environment.merging(environment) { $1 })
        self.children.withLock { $0.append(child) }
        return child
    }

    /// From now on every process has this key, unless its own environment says otherwise.
    func use(key file: String) { self.keyFile.withLock { $0 = file } }

    private var environment: [String: String] {
        ["MESH_ADDRESS": self.mesh, "MESH_KEY_FILE": self.keyFile.withLock { $0 }].filter { !$0.value.isEmpty }
    }

    /// The broker's address.
    var mesh: String { self.address.withLock { $0 } }

    /// A broker that is ready, at a free port, or at the address that an earlier one had.
    ///
    /// - Parameters:
    ///   - file: where it stores what it knows; nil: nowhere.
    ///   - dashboard: where its dashboard listens; nil: it has none.
    ///   - others: other arguments.
    func broker(
        at address: String = "tcp://127.0.0.1:*", storing file: String? = nil, dashboard: String? = nil,
        _ others: String...
    ) async throws -> Child {
        let arguments =
            ["broker", "--bind", address] + (file.map { ["--store", $0] } ?? [])
            + (dashboard.map { ["--dashboard", $0] } ?? ["--no-dashboard"]) + others
        let broker = try self.start("mesh", arguments)
        let ready = try await broker.line("broker ready at ")
        self.address.withLock { $0 = String(ready.dropFirst("broker ready at ".count)) }
        return broker
    }

    /// A node of the fixture's program that has joined.
    func node(_ name: String = "alpha") async throws -> Child {
        let node = try self.start("MeshCommandFixture", "node", "--name", name)
        try await node.line("has joined")
        return node
    }

    /// A driver that does what it is told.
    ///
    /// - Parameter shown: how it shows what its workers say; their lines come between its answers.
    func driver(showing shown: String = "none") async throws -> Child {
        let driver = try self.start("MeshCommandFixture", environment: ["MESH_WORKER_OUTPUT": shown])
        try await driver.line("ready")
        return driver
    }

    /// Runs a command to its end.
    @discardableResult
    func mesh(_ arguments: String..., key: String? = nil, expecting status: Int32 = 0) async throws -> String {
        try await self.mesh(arguments, key: key, expecting: status)
    }

    @discardableResult
    func mesh(_ arguments: [String], key: String? = nil, expecting status: Int32) async throws -> String {
        let own = key.map { ["MESH_KEY_FILE": $0] } ?? [:]
        let command = try Child("mesh", arguments, environment: self.environment.merging(own) { $1 })
        self.children.withLock { $0.append(command) }
        let actual = try await command.status()
        #expect(actual == status, "\(command.name) wrote:\n\(command.output)")
        return command.output
    }
}

/// Asks again until the answer is the one that must come at last, as long as the limit allows.
func eventually(
    _ what: String, limit: Duration = .seconds(60), _ holds: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !holds() {
        guard ContinuousClock.now < deadline else { throw NeverHappened(what: what) }
        try await Task.sleep(for: .milliseconds(20))
    }
}

struct NeverHappened: Error {
    var what: String
}
