import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes {
    /// L1: whoever spawned an actor owns it; when the owner ends in any way its children end, down the tree, after the
    /// calls that they had accepted.
    @Suite("L1: owners and their children") struct L1Trees {
        /// How the top of the tree ends.
        enum Way: String, CaseIterable, Sendable {
            case killed, exited, stopped, crashed, released
        }

        @Test("the owner ends in any way: the tree below it ends, each cleaned up", arguments: Way.allCases)
        func ends(way: Way) async throws {
            // On a busy machine the tree needs its time: it ends within the lease time, cleaned up or not.
            try await withFixtures(settings: MeshSettings(leaseTime: .seconds(30))) { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                var top: Branch? = try await mesh.spawn(
                    Branch.self, .init("top", witness, shape: [2, 1]), options: .init(name: "top"))
                let processes = try await top?.processes() ?? []
                #expect(Set(processes).count == 5)
                let leaf = try await mesh.find(Branch.self, named: "top.1.0")
                let info = try #require(try await mesh.info("top.1.0"))
                #expect(info.owner == (try await mesh.info("top.1")?.id))

                if let actor = top {
                    switch way {
                    case .killed: try await mesh.kill(actor)
                    case .exited: #expect(await codeThrown { try await actor.exit() } == .actorDied)
                    case .stopped: try await mesh.stop(actor)
                    case .crashed: kill(processes[0], SIGKILL)
                    case .released: break
                    }
                }
                top = nil
                let termination = try await mesh.terminated(leaf)
                #expect(termination.cause == .ownerDied, "\(termination)")
                try await poll { !processes.contains(where: ProcessTable.isRunning) }
                for name in ["top.0", "top.1", "top.0.0", "top.1.0"] {
                    // An owner that ends lets go of its children, and that may be heard sooner than its end.
                    try await poll {
                        let asOrphan = try await witness.count(of: "\(name) cleaned up: ownerDied")
                        return try await asOrphan + witness.count(of: "\(name) cleaned up: released") == 1
                    }
                    #expect(await codeThrown { try await mesh.find(Branch.self, named: name) } == .actorNotFound)
                }
                #expect(try await mesh.actors().count == 1)
            }
        }

        @Test("a child finishes what it had accepted, and takes nothing more")
        func finishes() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let top = try await mesh.spawn(Branch.self, .init("top", witness, shape: [1]))
                let child = try #require(try await top.family().first)
                let held = try await mesh.submit { try await child.hold() }
                try await witness.wait(for: "top.0 held", count: 1)
                let queued = try await mesh.submit { try await child.note("queued") }
                try await mesh.kill(top)
                try await poll { try await mesh.info("top.0")?.state == .ending }
                // One that it still accepts waits behind the first, and is over with its deadline.
                try await poll {
                    await codeThrown {
                        try await mesh.withDeadline(.milliseconds(100)) { try await child.note("late") }
                    } == .actorDied
                }
                try await witness.reach("go")
                _ = try await held.value
                _ = try await queued.value
                #expect(try await mesh.terminated(child).cause == .ownerDied)
                let log = try await witness.log().filter { $0.hasPrefix("top.0") }
                #expect(
                    log == [
                        "top.0 started 1", "top.0 held", "top.0 done", "top.0 queued",
                        "top.0 cleaned up: ownerDied",
                    ])
            }
        }

        @Test("what a task makes belongs to whoever submitted the task")
        func byTask() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let mine = try await mesh.submit(Planting(arguments: .init("mine", witness))).value
                #expect(try await mine.life() == 1)
                let info = try #require(try await mesh.info("mine"))
                #expect(info.owner == nil && info.ownerProcess != nil)

                let top = try await mesh.spawn(Branch.self, .init("top", witness), options: .init(name: "top"))
                try await top.growByTask()
                let child = try await mesh.find(Branch.self, named: "top.task")
                #expect(try await mesh.info("top.task")?.owner == (try await mesh.info("top")?.id))
                try await mesh.kill(top)
                #expect(try await mesh.terminated(child).cause == .ownerDied)
                #expect(try await mine.life() == 1)
            }
        }

        @Test("a driver that is killed takes the tree with it; what is detached stays (L3)")
        func driverKilled() async throws {
            let cluster = try await Cluster()
            try await cluster.drive { mesh in
                let driver = try cluster.driver("own")
                let line = try #require(await driver.line())
                let process = try #require(line.split(separator: " ").last.flatMap { Int32($0) })
                let detached = try await cluster.drive { other in
                    let actor = try await other.spawn(
                        Blocker.self, options: .init(name: "detached", lifetime: .detached))
                    return try await actor.processID()
                }
                let owned = try await mesh.find(Blocker.self, named: "owned")
                driver.send(SIGKILL)
                let termination = try await mesh.terminated(owned)
                #expect(termination.cause == .ownerDied, "\(termination)")
                try await poll { !ProcessTable.isRunning(process) }
                #expect(await codeThrown { try await mesh.find(Blocker.self, named: "owned") } == .actorNotFound)

                let found = try await mesh.find(Blocker.self, named: "detached")
                #expect(try await found.processID() == detached)
                #expect(try await mesh.info("detached")?.ownerProcess == nil)
                try await mesh.kill(found)
                try await poll { !ProcessTable.isRunning(detached) }
            }
        }

        @Test("L3: a detached actor needs no handle, and ends by itself or when it is killed")
        func detached() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                for name in ["one", "two"] {
                    let options = ActorOptions(name: name, lifetime: .detached)
                    _ = try await mesh.spawn(Branch.self, .init(name, witness), options: options)
                    try await poll { try await mesh.info(name)?.holders == 0 }
                }
                let one = try await mesh.find(Branch.self, named: "one")
                #expect(await codeThrown { try await one.exit() } == .actorDied)
                #expect(try await mesh.terminated(one).cause == .exited)
                try await mesh.kill(try await mesh.find(Branch.self, named: "two"))
                #expect(await codeThrown { try await mesh.find(Branch.self, named: "two") } == .actorNotFound)
            }
        }
    }
}
