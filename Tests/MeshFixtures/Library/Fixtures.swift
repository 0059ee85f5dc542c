package import ActorMesh
import Glibc
import Logging
import MeshSQLite
import Synchronization

/// What the fixtures program does as a driver.
public enum Fixtures {
    /// The name by which nodes know the program.
    public static let program = "mesh-fixtures"

    private static let counter = Atomic<Int>(0)

    /// How often this process was bootstrapped.
    static var bootstraps: Int { self.counter.load(ordering: .relaxed) }

    /// What the program bootstraps: its logging, and it counts.
    package static func bootstrap() {
        LoggingSystem.bootstrap { MeshLogHandler(label: $0) }
        self.counter.wrappingAdd(1, ordering: .relaxed)
    }

    /// The times of the program's mesh: the lease time in milliseconds by `FIXTURES_LEASE`, with ten heartbeats, and by
    /// `FIXTURES_ABSENCE` how long nodes go on without their broker. `FIXTURES_OBJECT_MEMORY` is the budget of each store.
    package static var settings: MeshSettings {
        var settings = MeshSettings()
        if let lease = self.number("FIXTURES_LEASE") {
            settings.leaseTime = .milliseconds(lease)
            settings.heartbeatInterval = .milliseconds(lease / 10)
        }
        if let absence = self.number("FIXTURES_ABSENCE") { settings.brokerAbsence = .milliseconds(absence) }
        if let remembered = self.number("FIXTURES_REMEMBERED") { settings.remembered = remembered }
        if let memory = self.number("FIXTURES_OBJECT_MEMORY") { settings.objectMemory = .bytes(Int64(memory)) }
        return settings
    }

    private static func number(_ variable: String) -> Int? {
        getenv(variable).flatMap { Int(String(cString: $0)) }
    }

    /// What a broker of the program keeps its registry in: the file that `FIXTURES_STORE` names; nothing without it, and
    /// where it is `forgetful`.
    package static var registryStore: (any RegistryStore)? {
        guard let file = getenv("FIXTURES_STORE").map({ String(cString: $0) }) else { return nil }
        return file == "forgetful" ? ForgetfulRegistryStore() : SQLiteRegistryStore(path: file)
    }

    /// Does what the first argument says.
    package static func drive(_ mesh: Mesh) async throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch arguments.first {
        case "repeat": try await self.repeatMeshes()
        case "noise": try await self.makeNoise(mesh)
        case "chatter": try await self.chatter(mesh)
        case "drown": try await self.drown(mesh)
        case "starve": self.starve()
        case "chaos": try await ChaosDriver(arguments.dropFirst(), mesh: mesh).run()
        case "object-chaos": try await ObjectChaosDriver(arguments.dropFirst(), mesh: mesh).run()
        case "soak": try await SoakDriver(mesh).run()
        case "own": try await self.own(mesh)
        case "eat": try await self.eat(mesh, limit: Int64(arguments.dropFirst().first ?? "") ?? 0)
        default: try await self.linger(mesh)
        }
    }

    /// Has actors write and end their processes in all ways.
    private static func makeNoise(_ mesh: Mesh) async throws {
        for end in Noisy.End.allCases {
            let noisy = try await mesh.spawn(Noisy.self)
            try? await noisy.say("said before \(end)", complain: "complained before \(end)", end: end)
        }
    }

    /// Has two actors print at the same time.
    private static func chatter(_ mesh: Mesh) async throws {
        let one = try await mesh.spawn(Noisy.self)
        let other = try await mesh.spawn(Noisy.self)
        async let first: Void = one.chatter("a", length: 3000, lines: 300)
        async let second: Void = other.chatter("b", length: 3000, lines: 300)
        _ = try await (first, second)
    }

    /// Has an actor write more than anybody takes, and calls another one meanwhile. Says on standard error what came
    /// of that: standard output is of no use. Then waits to be killed.
    private static func drown(_ mesh: Mesh) async throws {
        let loud = try await mesh.spawn(Noisy.self)
        let quiet = try await mesh.spawn(Blocker.self)
        let dying = try await mesh.spawn(Noisy.self)
        let drowning = try await mesh.submit { try await loud.chatter("x", length: 3000, lines: 1000) }
        for _ in 0..<100 { _ = try await quiet.count() }
        // A worker that ends meanwhile is reported too, and others take its place.
        try? await dying.say("last words", complain: "", end: .signal)
        let calls = try await mesh.spawn(Blocker.self).count() + quiet.count()
        let line = Array("answered \(calls)\n".utf8)
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        _ = try await drowning.value
    }

    /// Has an actor with a limit take more memory than that, and prints how far it came.
    private static func eat(_ mesh: Mesh, limit: Int64) async throws {
        let options = ActorOptions(resources: Resources(memory: .mebibytes(limit)))
        let noisy = try await mesh.spawn(Noisy.self, options: options)
        print("has", try await noisy.eat(mebibytes: Int(limit)))
        fflush(nil)
        do {
            print("has", try await noisy.eat(mebibytes: Int(limit) + 512))
        } catch let error as MeshError {
            print(error.code)
        }
        fflush(nil)
    }

    /// Makes an actor with the name "owned", prints its process number, and calls it again and again until that fails;
    /// prints how, and then makes it anew, as soon as that is possible.
    private static func own(_ mesh: Mesh) async throws {
        let owned = try await mesh.spawn(Blocker.self, options: .init(name: "owned"))
        print("ready", try await owned.processID())
        fflush(nil)
        do {
            while try await owned.count() > 0 { try await Task.sleep(for: .milliseconds(20)) }
        } catch let error as MeshError {
            print("failed", error.code)
        }
        fflush(nil)
        let end = ContinuousClock.now + .seconds(15)
        while true {
            do {
                let again = try await mesh.spawn(Blocker.self, options: .init(name: "owned"))
                print("again", try await again.count())
                fflush(nil)
                return
            } catch  where ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// Waits until its third descriptor is at its end, and then takes memory until there is none.
    private static func starve() {
        print("ready")
        fflush(nil)
        var byte: UInt8 = 0
        while read(3, &byte, 1) > 0 {}
        var memory: [[UInt8]] = []
        while true { memory.append([UInt8](repeating: 7, count: 1 << 20)) }
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
