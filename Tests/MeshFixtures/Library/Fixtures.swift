package import ActorMesh
import Glibc

/// What the fixtures program does as a driver.
public enum Fixtures {
    /// The name by which nodes know the program.
    public static let program = "mesh-fixtures"

    /// Does what the first argument says.
    package static func drive(_ mesh: Mesh) async throws {
        if CommandLine.arguments.dropFirst().first == "repeat" { return try await self.repeatMeshes() }
        try await self.linger(mesh)
    }

    /// Makes an actor in a process of its own and one in a shared process, prints the process numbers of both on a
    /// line, and then waits to be killed.
    private static func linger(_ mesh: Mesh) async throws {
        let own = try await mesh.spawn(Blocker.self)
        let shared = try await mesh.spawn(Blocker.self, options: .init(placement: .shared))
        let processes = [try await own.processID(), try await shared.processID()]
        print("ready", processes.map(String.init).joined(separator: " "))
        fflush(nil)
        let witness = try await mesh.spawn(Witness.self, options: .init(placement: .shared))
        try await witness.wait(for: "the end of the world", count: 1)
    }

    /// Makes many meshes one after the other, and prints how many descriptors and threads that has left behind.
    private static func repeatMeshes() async throws {
        func once() async throws {
            try await withMesh(MeshConfiguration(program: self.program, warmWorkers: 1)) { mesh in
                _ = try await mesh.spawn(Blocker.self).count()
            }
        }
        // The first one opens what the process keeps.
        try await once()
        let (descriptors, threads) = (self.count("/proc/self/fd"), self.count("/proc/self/task"))
        for _ in 0..<10 { try await once() }
        // What ends in the background may take a moment.
        let end = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < end,
            self.count("/proc/self/fd") > descriptors + 4 || self.count("/proc/self/task") > threads + 4
        {
            try await Task.sleep(for: .milliseconds(10))
        }
        print(max(0, self.count("/proc/self/fd") - descriptors), max(0, self.count("/proc/self/task") - threads))
        fflush(nil)
    }

    private static func count(_ directory: String) -> Int {
        guard let handle = opendir(directory) else { return 0 }
        defer { closedir(handle) }
        var count = 0
        while readdir(handle) != nil { count += 1 }
        return count
    }
}
