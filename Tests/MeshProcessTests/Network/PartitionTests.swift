import ActorMesh
import Glibc
import MeshFixtures
import MeshTesting
import Testing

extension Processes {
    /// What hosts that do not reach each other do to a mesh, and what is so again when they do.
    @Suite(.onlyWithNetworks) struct Partitions {
        @Test(
            "C3, L4, L5 under a partition: calls end, the minority's actor ends before its next life begins, all agree after",
            arguments: Cut.allCases)
        func node(isCutOff cut: Cut) async throws {
            try await Network.with("broker", "one", "two", "driver") { network in
                let cluster = try await NetworkCluster(network)
                let nodes = [try await cluster.node(on: "one"), try await cluster.node(on: "two")]
                let book = Book()
                try await cluster.drive(on: "driver") { mesh in
                    let scribe = try await mesh.spawn(
                        Scribe.self, .init(path: book.path), options: .init(name: "scribe", maxRestarts: .unlimited))
                    let info = try #require(try await mesh.info("scribe"))
                    // Somebody on the same side of the cut calls it too.
                    let clerk = try await mesh.spawn(Clerk.self, options: .init(node: info.node))
                    try await clerk.begin(scribe, as: "neighbour")
                    let calls = Task { await Self.callAlways(scribe) }
                    try await poll { Set(book.lines.map(\.caller)) == ["driver", "neighbour"] }

                    try cut.make(network, try network[info.node])
                    // Its process ends by itself: nobody who could tell it reaches it.
                    try await poll { !ProcessTable.isRunning(info.processID) }
                    try await poll { book.lines.last?.life == 2 }
                    #expect(try await mesh.info("scribe")?.node != info.node)
                    #expect(try await mesh.find(Scribe.self, named: "scribe").id == scribe.id)
                    network.heal()
                    try await poll { try await mesh.nodes().map(\.name).sorted() == ["one", "two"] }
                    calls.cancel()
                    let (lives, errors) = await calls.value
                    #expect(errors.allSatisfy { [.actorUnavailable, .actorDied].contains($0) }, "\(errors)")
                    // Where only the broker is cut off, a call may wait for the next life instead.
                    #expect(cut != .everything || !errors.isEmpty)
                    #expect(lives == lives.sorted(), "an earlier life answered after a later one")
                    let written = book.lines.map(\.life)
                    #expect(written == written.sorted(), "an earlier life ran calls after a later one")
                    #expect(book.history.duplicates == [] && book.history.reordered == [])
                    // The node is of use again, and its actors are reached.
                    let there = try await mesh.spawn(Blocker.self, options: .init(name: "again", node: info.node))
                    #expect(try await there.count() == 1)
                    #expect(try await mesh.find(Blocker.self, named: "again").count() == 2)
                }
                withExtendedLifetime(nodes) {}
            }
        }

        /// Calls until it is cancelled. Returns in which lives the calls ran that were answered, and how others failed.
        private static func callAlways(_ scribe: Scribe) async -> (lives: [UInt64], errors: [MeshError.Code]) {
            var (lives, errors): ([UInt64], [MeshError.Code]) = ([], [])
            var number = 0
            while !Task.isCancelled {
                do {
                    lives.append(try await scribe.write("driver", number))
                } catch let error as MeshError where error.code == .cancelled {
                    break
                } catch {
                    errors.append((error as? MeshError)?.code ?? .systemFailure)
                }
                number += 1
                try? await Task.sleep(for: .milliseconds(2))
            }
            return (lives, errors)
        }

        @Test(
            "L5 under a partition: a node that loses a broker which keeps nothing ends, and another may take its place")
        func forgetfulBroker() async throws {
            try await Network.with("broker", "one", "driver") { network in
                let cluster = try await NetworkCluster(network, keepsRegistry: false)
                let node = try await cluster.node(on: "one")
                try await cluster.drive(on: "driver") { mesh in
                    let blocker = try await mesh.spawn(Blocker.self, options: .init(maxRestarts: .unlimited))
                    let process = try await blocker.processID()
                    network.isolate(try network["one"])
                    #expect(await node.wait() == 69)
                    try await poll { !ProcessTable.isRunning(process) }
                    network.heal()
                    let next = try await cluster.node(on: "one")
                    try await poll { (try? await blocker.count()) != nil }
                    #expect(try await mesh.nodes().map(\.processID) == [next.processID])
                }
            }
        }

        @Test("L2 under a partition: a name that somebody wants all the time never has two owners that both answer")
        func contendedName() async throws {
            try await Network.with("broker", "one", "two", "driver") { network in
                let cluster = try await NetworkCluster(network)
                let nodes = [try await cluster.node(on: "one"), try await cluster.node(on: "two")]
                let book = Book()
                try await cluster.drive(on: "driver") { mesh in
                    let (path, name) = (book.path, "only")
                    let first = try await mesh.spawn(
                        Scribe.self, .init(path: path), options: .init(name: name, node: "one"))
                    let clerk = try await mesh.spawn(Clerk.self, options: .init(node: "one"))
                    try await clerk.begin(first, as: "first")
                    let contender = Task {
                        while true {
                            do {
                                return try await mesh.spawn(
                                    Scribe.self, .init(path: path), options: .init(name: name, node: "two"))
                            } catch let error as MeshError where error.code == .nameTaken {
                                try await Task.sleep(for: .milliseconds(5))
                            }
                        }
                    }
                    try await poll { book.lines.count > 10 }
                    network.isolate(try network["one"])
                    let second = try await contender.value
                    for number in 0..<20 { _ = try await second.write("second", number) }
                    network.heal()
                    try await poll { try await mesh.nodes().map(\.name).sorted() == ["one", "two"] }
                    for number in 20..<40 { _ = try await second.write("second", number) }
                    #expect(try await mesh.find(Scribe.self, named: name).id == second.id)
                    try await poll { await codeThrown { try await first.write("driver", 0) } == .actorDied }
                    let callers = book.lines.map(\.caller)
                    let handover = try #require(callers.firstIndex(of: "second"))
                    #expect(callers[..<handover].allSatisfy { $0 == "first" })
                    #expect(callers[handover...].allSatisfy { $0 == "second" })
                }
                withExtendedLifetime(nodes) {}
            }
        }

        @Test("B1 under a partition: a driver that loses only the broker calls on, and is a member again afterwards")
        func driverWithoutBroker() async throws {
            try await Network.with("broker", "one", "driver") { network in
                let cluster = try await NetworkCluster(network)
                let node = try await cluster.node(on: "one")
                try await cluster.drive(on: "driver") { mesh in
                    let owned = try await mesh.spawn(Blocker.self, options: .init(name: "owned"))
                    let process = try await owned.processID()
                    let detached = try await mesh.spawn(
                        Blocker.self, options: .init(name: "detached", lifetime: .detached))
                    network.cut(from: try network["broker"], to: try network["driver"])
                    network.cut(from: try network["driver"], to: try network["broker"])
                    // The broker holds the driver for dead at last, and ends what is the driver's.
                    var count = 0
                    while ProcessTable.isRunning(process) {
                        count += 1
                        #expect(try await detached.count() == count)
                    }
                    #expect(count > 0)
                    let code = await codeThrown { try await owned.count() }
                    // Why it is out of reach only the broker could tell.
                    #expect(code == .actorUnavailable || code == .actorDied)
                    network.heal()
                    try await poll { await codeThrown { try await owned.count() } == .actorDied }
                    try await poll { (try? await mesh.find(Blocker.self, named: "detached")) != nil }
                    #expect(await codeThrown { try await mesh.find(Blocker.self, named: "owned") } == .actorNotFound)
                    let fresh = try await mesh.spawn(Blocker.self, options: .init(name: "owned"))
                    #expect(try await fresh.count() == 1)
                    #expect(try await detached.count() == count + 1)
                    try await mesh.kill(detached)
                }
                withExtendedLifetime(node) {}
            }
        }
    }
}
