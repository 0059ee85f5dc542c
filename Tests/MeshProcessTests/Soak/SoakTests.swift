import ActorMesh
import FoundationEssentials
import Glibc
import MeshFixtures
import MeshTesting
import Testing

extension Processes {
    /// What a mesh uses after many actors, calls, streams, tasks and drivers is what it used after a few. `SOAK_SECONDS`
    /// says for how long; the first minute, or half of a shorter time, is for what grows to its full size.
    @Suite struct Soak {
        /// How many are remembered that have ended: so few that it is as many from the first seconds on.
        private static let remembered = 100
        /// By how many descriptors a process differs from one moment to the next: a worker that starts or ends has some.
        private static let variation = 16
        /// What memory may grow by, in kilobytes: what the allocator keeps, and program code that is used late.
        private static let slack = 6 << 10

        @Test("memory, descriptors, threads and sockets stay what they are while actors and drivers come and go")
        func run() async throws {
            let seconds = getenv("SOAK_SECONDS").flatMap { Double(String(cString: $0)) } ?? 6
            let cluster = try await Cluster(
                nodes: ["one", "two"],
                // What is measured is what is left, not how soon a busy machine answers.
                environment: ["FIXTURES_REMEMBERED": "\(Self.remembered)", "FIXTURES_LEASE": "10000"],
                // As much as is there after the first seconds.
                brokerArguments: ["--logs-size", "256KiB"])
            let driver = try cluster.driver("soak")
            #expect(await driver.line() == "ready")
            let programs = [
                ("broker", cluster.broker.processID), ("node one", cluster.nodes[0].processID),
                ("node two", cluster.nodes[1].processID), ("driver", driver.processID),
            ]
            let start = ContinuousClock.now
            var (rounds, guests, lines) = (0, 0, 0)
            var first: [ProcessFigures] = []
            var last: [ProcessFigures] = []
            while true {
                let time = ContinuousClock.now - start
                try await self.round(driver, turns: 3)
                rounds += 1
                // Drivers that come and go, one of them without a word.
                for isKilled in [false, true] {
                    let guest = try cluster.driver("soak")
                    #expect(await guest.line() == "ready")
                    guest.tell("1")
                    if isKilled {
                        guest.send(SIGKILL)
                        _ = await guest.wait()
                    } else {
                        #expect(await guest.line() == "round")
                        await self.end(guest)
                    }
                    guests += 1
                }
                let figures = try self.figures(programs)
                if first.isEmpty, time >= .seconds(min(60, seconds / 2)) { first = figures }
                let isOver = time >= .seconds(seconds)
                if isOver || time >= .seconds(Double(lines) * seconds / 30) {
                    lines += 1
                    self.printLine(time, rounds, guests, programs.map(\.0), figures)
                }
                if isOver { break }
            }
            // Workers that have ended are still being buried when their actors are gone.
            try await poll {
                last = try self.figures(programs)
                return zip(first, last).allSatisfy {
                    $1.descriptors <= $0.descriptors + Self.variation && $1.threads <= $0.threads + 2
                }
            }
            for ((name, before), after) in zip(zip(programs.map(\.0), first), last) {
                #expect(after.descriptors <= before.descriptors + Self.variation, "\(name): \(before), then \(after)")
                #expect(after.threads <= before.threads + 2, "\(name): \(before), then \(after)")
                #expect(after.memory <= before.memory + Self.slack, "\(name): \(before), then \(after)")
            }
            await self.end(driver)
        }

        private func round(_ driver: FixtureProgram, turns: Int) async throws {
            driver.tell("\(turns)")
            let line = await driver.line()
            guard line == "round" else {
                driver.send(SIGKILL)
                let errors = await driver.errors.lines().joined(separator: "\n")
                throw MeshError(.systemFailure, "The driver said \(line ?? "nothing more"), and wrote:\n\(errors)")
            }
        }

        private func end(_ driver: FixtureProgram) async {
            driver.closeInput()
            #expect(await driver.wait() == 0)
        }

        private func figures(_ programs: [(String, Int32)]) throws -> [ProcessFigures] {
            try programs.map { try #require(ProcessFigures(of: $0.1), "\($0.0) has ended") }
        }

        private func printLine(
            _ time: Duration, _ rounds: Int, _ guests: Int, _ names: [String], _ figures: [ProcessFigures]
        ) {
            let parts = zip(names, figures).map { "\($0) \($1)" }
            let work = "\(rounds) rounds, \(guests) guests"
            print("soak \(time.components.seconds) s, \(work): \(parts.joined(separator: " · "))")
        }
    }
}
