import ActorMesh
import Glibc
import MeshFixtures
import MeshTesting
import Testing

extension Processes {
    /// Networks that carry everything, but badly.
    @Suite(.onlyWithNetworks) struct BadNetworks {
        @Test(
            "C2, C4 on a bad network: calls run once, in order, and all of them",
            arguments: [
                NetworkSwitch.Way(loss: 0.07, delay: 1...4),
                NetworkSwitch.Way(loss: 0.02, duplicates: 0.1, delay: 0...12),
            ])
        func calls(on way: NetworkSwitch.Way) async throws {
            try await Network.with("broker", "one", "driver") { network in
                let cluster = try await NetworkCluster(network, leaseMilliseconds: 10_000)
                let node = try await cluster.node(on: "one")
                let book = Book()
                try await cluster.drive(on: "driver") { mesh in
                    let scribe = try await mesh.spawn(Scribe.self, .init(path: book.path))
                    network.setAll(way)
                    var written: [ObjectRef<UInt64>] = []
                    for number in 0..<400 {
                        written.append(try await mesh.submit { try await scribe.write("pipelined", number) })
                        // So that they do not all travel in a few frames.
                        if number % 10 == 0 { _ = try await scribe.write("awaited", number / 10) }
                    }
                    #expect(try await mesh.get(written).count == 400)
                    network.heal()
                    #expect(book.history.duplicates == [])
                    #expect(book.history.reordered == [])
                    #expect(book.history.lost(of: ["pipelined": 400, "awaited": 40]) == [])
                    #expect(book.lines.count == 440)
                }
                withExtendedLifetime(node) {}
            }
        }

        @Test("C2, C4 under a partition: one that breaks connections and is shorter than the lease loses nothing")
        func brokenConnections() async throws {
            try await Network.with("broker", "one", "driver") { network in
                let cluster = try await NetworkCluster(network, leaseMilliseconds: 20_000)
                let node = try await cluster.node(on: "one")
                let book = Book()
                try await cluster.drive(on: "driver") { mesh in
                    let scribe = try await mesh.spawn(Scribe.self, .init(path: book.path))
                    let (one, driver) = (try network["one"], try network["driver"])
                    _ = try await scribe.write("driver", 0)
                    var written: [ObjectRef<UInt64>] = []
                    // In both directions, calls and answers are under way when it begins.
                    for number in 1..<100 {
                        written.append(try await mesh.submit { try await scribe.write("driver", number) })
                    }
                    network.isolate(one)
                    for number in 100..<200 {
                        written.append(try await mesh.submit { try await scribe.write("driver", number) })
                    }
                    let before = network.attempts(from: driver, to: one)
                    // The connection is given up, and others are tried.
                    try await poll { network.attempts(from: driver, to: one) > before }
                    network.heal()
                    #expect(try await mesh.get(written) == Array(repeating: 1, count: 199))
                    #expect(book.history.duplicates == [])
                    #expect(book.history.reordered == [])
                    #expect(book.history.lost(of: ["driver": 200]) == [])
                }
                withExtendedLifetime(node) {}
            }
        }

        /// Why a host cannot be reached.
        enum Absence: String, CaseIterable {
            /// Nothing comes back.
            case silence
            /// The host says that nobody listens there.
            case refusal
        }

        @Test("who cannot be reached is not stormed with connections", arguments: Absence.allCases)
        func reconnecting(at absence: Absence) async throws {
            try await Network.with("broker", "one", "driver") { network in
                let cluster = try await NetworkCluster(network)
                let node = try await cluster.node(on: "one")
                try await cluster.drive(on: "driver") { mesh in
                    let blocker = try await mesh.spawn(Blocker.self)
                    let process = try await blocker.processID()
                    let (broker, one, driver) = (try network["broker"], try network["one"], try network["driver"])
                    let ways = [(broker, one), (driver, one), (one, broker), (one, driver)]
                    let before = ways.map { network.attempts(from: $0, to: $1) }
                    let start = ContinuousClock.now
                    switch absence {
                    case .silence: network.isolate(one)
                    case .refusal: node.send(SIGKILL)
                    }
                    try await poll { !ProcessTable.isRunning(process) }
                    // Whoever still wants to talk to it keeps trying, until it is known to be gone for good.
                    try await poll { await codeThrown { try await blocker.count() } == .actorDied }
                    // A node that is cut off looks for its broker.
                    if absence == .silence {
                        try await poll { network.attempts(from: one, to: broker) >= before[2] + 4 }
                    }
                    let seconds = (ContinuousClock.now - start) / .seconds(1)
                    for (way, before) in zip(ways, before) {
                        let attempts = network.attempts(from: way.0, to: way.1) - before
                        // A connection is tried again after 20 ms, 40 ms, … and at last every second, up to half more
                        // by chance: six times in the first second. There are few of them here: to a node and its
                        // workers, or from those. Without the growing pause there would be dozens each second.
                        #expect(Double(attempts) <= 4 * (6 + 2 * seconds), "\(way.0.name) to \(way.1.name)")
                    }
                }
            }
        }

        @Test(
            "a node that comes back with its address and name is another: nothing that was meant for the old one reaches it"
        )
        func sameAddress() async throws {
            try await Network.with("broker", "one", "driver") { network in
                let cluster = try await NetworkCluster(network)
                let binding = "tcp://\(try network["one"].host):6000-6020"
                let first = try await cluster.node(on: "one", "--bind", binding)
                let book = Book()
                try await cluster.drive(on: "driver") { mesh in
                    let mortal = try await mesh.spawn(Blocker.self, options: .init(name: "mortal"))
                    let scribe = try await mesh.spawn(
                        Scribe.self, .init(path: book.path), options: .init(name: "scribe", maxRestarts: .unlimited))
                    #expect(try await mortal.count() == 1)
                    #expect(try await scribe.write("driver", 0) == 1)
                    let before = try #require(try await mesh.nodes().first)
                    #expect(before.endpoints.contains { $0.hasSuffix(":6000") })
                    first.send(SIGKILL)
                    #expect(await first.wait() == -SIGKILL)
                    // Nobody has told the others yet that it is gone.
                    let second = try await cluster.node(on: "one", "--bind", binding)
                    try await poll {
                        let nodes = try await mesh.nodes()
                        return nodes.count == 1 && nodes[0].processID == second.processID
                    }
                    let tcp = { (node: NodeInfo) in node.endpoints.filter { $0.hasPrefix("tcp:") } }
                    #expect(try await mesh.nodes().map(tcp) == [tcp(before)])
                    #expect(await codeThrown { try await mortal.count() } == .actorDied)
                    #expect(await codeThrown { try await mesh.find(Blocker.self, named: "mortal") } == .actorNotFound)
                    try await poll { (try? await scribe.write("driver", 1)) == 2 }
                    let other = try await mesh.spawn(Blocker.self, options: .init(name: "mortal"))
                    #expect(try await other.count() == 1)
                    #expect(await codeThrown { try await mortal.count() } == .actorDied)
                    #expect(try await other.count() == 2)
                    #expect(book.lines.filter { $0.number == 0 }.count == 1)
                    withExtendedLifetime(second) {}
                }
            }
        }
    }
}
