import ActorMesh
import FoundationEssentials
import Glibc
import MeshFixtures
import MeshTesting
import Testing

extension Processes {
    /// C2, C3, C4, L1, L4 and L5 at once, while processes are killed and frozen and hosts are cut off. `CHAOS_SECONDS`
    /// says for how long, `CHAOS_SEED` with which seed; a run that fails prints its seed, and leaves its notes where it says.
    @Suite struct Chaos {
        /// Whoever has to find a broker that was killed and come back in time needs more than to say that it lives.
        private static func leaseTime(on network: Network?) -> Duration { .seconds(network == nil ? 1 : 2) }
        static let drivers = 2

        @Test("order, duplicates, loss and lifetime hold while workers and nodes are killed and frozen")
        func processes() async throws { try await self.run(on: nil) }

        @Test(
            "the same while their hosts are cut off as well, and the broker is killed and comes back", .onlyWithNetworks
        )
        func hosts() async throws {
            try await Network.with("broker", "one", "two", "driver") { try await self.run(on: $0) }
        }

        private func run(on network: Network?) async throws {
            let seconds = number("CHAOS_SECONDS").flatMap(Double.init) ?? (network == nil ? 10 : 15)
            let seed = number("CHAOS_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000)
            let directory = "\(FileManager.default.temporaryDirectory.path)/chaos-\(seed)-\(getpid())"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
            let (violations, summary) = try await self.run(on: network, seed: seed, seconds: seconds, in: directory)
            print("chaos, seed \(seed), \(seconds) s: \(summary)")
            try? FileManager.default.removeItem(atPath: "\(directory)-cluster")
            guard !violations.isEmpty else { return try FileManager.default.removeItem(atPath: directory) }
            let shown = violations.prefix(20).joined(separator: "\n")
            Issue.record("seed \(seed), \(violations.count) violations, notes in \(directory):\n\(shown)")
        }

        /// Returns what must not have happened, with the history of the actors concerned, and a summary.
        private func run(
            on network: Network?, seed: UInt64, seconds: Double, in directory: String
        ) async throws -> ([String], String) {
            let cluster = try await ChaosCluster(
                on: network, leaseTime: Self.leaseTime(on: network), directory: "\(directory)-cluster")
            var drivers: [FixtureProgram] = []
            for index in 0..<Self.drivers {
                drivers.append(
                    try await cluster.addDriver(
                        ["chaos", directory, "\(index)", "\(Self.drivers)", "\(seed)", "\(seconds)"]))
            }
            for driver in drivers { #expect(await driver.line() == "ready") }
            try await cluster.run(
                ChaosSchedule(
                    seed: seed, duration: .seconds(seconds), leaseTime: Self.leaseTime(on: network),
                    hosts: network != nil))

            var violations: [String] = []
            for (index, driver) in drivers.enumerated() {
                violations += await self.complaints(of: driver).lines.map { "driver \(index): \($0)" }
            }
            // One is told to end, the other has no time for anything.
            for (driver, signal) in zip(drivers, [SIGTERM, SIGKILL]) {
                driver.send(signal)
                let status = await driver.wait()
                if status != -signal { violations.append("a driver ended with \(status)") }
            }
            violations += try await self.remains(in: cluster, on: network)
            await cluster.end()
            let processes = await cluster.processes
            try await poll { !processes.contains(where: \.isRunning) }

            let evidence = try self.evidence(in: directory)
            violations += evidence.violations().map { "\($0)\n\(evidence.history(of: $0))" }
            // A run in which nothing happens shows nothing.
            if seconds >= 5 {
                #expect(await cluster.kills > 0)
                if network != nil { #expect(await cluster.cuts + cluster.disturbances > 0) }
                #expect(evidence.ends.values.count { $0.answer != nil } > 100)
            }
            let summary =
                "\(await cluster.kills) kills, \(await cluster.freezes) freezes, \(await cluster.cuts) cuts, "
                + "\(await cluster.disturbances) disturbances, \(await cluster.revivals) revivals, \(evidence.calls.count) calls, "
                + "\(evidence.ends.values.count { $0.code != nil }) failed, "
                + "\(evidence.runs.values.reduce(0) { $0 + Set($1.map(\.life)).count }) lives"
            return (violations, summary)
        }

        /// What a driver prints before it is done, and why it ended when it ended instead; and how it says that it is.
        func complaints(
            of driver: FixtureProgram, until word: String = "done"
        ) async -> (lines: [String], end: String) {
            var lines: [String] = []
            while let line = await driver.line() {
                if line.hasPrefix(word) { return (lines, line) }
                lines.append(line)
            }
            return (await lines + driver.errors.lines() + ["it ended before it was \(word)"], "")
        }

        /// What is left of the drivers' actors when the drivers have ended.
        private func remains(in cluster: ChaosCluster, on network: Network?) async throws -> [String] {
            let leaseTime = Self.leaseTime(on: network)
            let settings = MeshSettings(leaseTime: leaseTime, heartbeatInterval: leaseTime / 10)
            let configuration = MeshConfiguration(
                address: cluster.address, keyFile: cluster.keyFile, program: Fixtures.program, settings: settings)
            guard let network else { return try await withMesh(configuration, self.remains) }
            return try await withTaskExecutorPreference(try network["driver"]) {
                try await withMesh(configuration, self.remains)
            }
        }

        private func remains(on mesh: Mesh) async throws -> [String] {
            try await poll { try await mesh.actors().isEmpty }
            var left = try await mesh.actors().map { "left: \($0)" }
            for name in ChaosDriver.names(drivers: Self.drivers) {
                let code = await codeThrown { try await mesh.find(Specimen.self, named: name) }
                if code != .actorNotFound { left.append("left: the name \(name), \(code?.description ?? "found")") }
            }
            return left
        }

        private func evidence(in directory: String) throws -> CallEvidence {
            var evidence = CallEvidence()
            for file in try FileManager.default.contentsOfDirectory(atPath: directory) {
                for note in try NoteFile.notes(in: "\(directory)/\(file)") { evidence.add(note) }
            }
            return evidence
        }

        func number(_ variable: String) -> String? { getenv(variable).map { String(cString: $0) } }
    }
}

extension CallEvidence {
    /// The calls around the one of a violation, and where they ran.
    fileprivate func history(of violation: CallViolation) -> String {
        let runs = self.runs[violation.actor] ?? []
        let position = runs.firstIndex { $0.number == violation.call } ?? 0
        let around = runs[max(0, position - 5)..<min(runs.count, position + 6)]
        let calls = Set(around.map(\.number) + [violation.call]).sorted()
        return
            (around.map { "  ran \($0.number) in life \($0.life)" }
            + calls.map { number in
                "  call \(number): \(self.calls[number].map { "\($0)" } ?? "?") "
                    + "\(self.ends[number].map { "\($0)" } ?? "without end")"
            })
            .joined(separator: "\n")
    }
}
