import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes {
    /// What actors and tasks ask for, on nodes in processes of their own.
    @Suite struct ResourcesAreGiven {
        private static let node = ["--gpus", "2", "--resource", "license=3", "--memory", "64GiB"]

        private static func options(
            _ name: String? = nil, _ cpus: Double = 0, gpus: Double = 0, restarts: Limit = 0, timeout: Duration? = nil,
            group: PlacementGroup? = nil, bundle: Int? = nil
        ) -> ActorOptions {
            ActorOptions(
                name: name, maxRestarts: restarts, resources: Resources(cpus: cpus, gpus: gpus), placementGroup: group,
                bundle: bundle, placementTimeout: timeout)
        }

        private static func used(_ mesh: Mesh) async throws -> Resources {
            try await mesh.nodes().map(\.used).reduce(Resources()) { sum, next in
                Resources(cpus: sum.cpus + next.cpus, gpus: sum.gpus + next.gpus)
            }
        }

        @Test("the fifth actor with one CPU on four is pending, is shown so with the reason, and starts when one ends")
        func fifth() async throws {
            let cluster = try await Cluster(resources: Self.node)
            try await cluster.drive { mesh in
                var tenants: [Tenant] = []
                for number in 0..<4 {
                    tenants.append(try await mesh.spawn(Tenant.self, options: Self.options("t\(number)", 1)))
                }
                // Those that ask for nothing do not wait for them.
                let free = try await mesh.spawn(Tenant.self)
                let fifth = Task { try await mesh.spawn(Tenant.self, options: Self.options("t4", 1)) }
                try await poll { try await mesh.info("t4") != nil }
                let info = try await #require(mesh.info("t4"))
                #expect(info.state == .pending && info.waitsFor == "1 cpu; fixtures has 0 of 4 free")
                #expect(info.processID == 0 && info.node == "")
                #expect(try await Self.used(mesh) == Resources(cpus: 4))
                try await mesh.kill(try #require(tenants.popLast()))
                let process = try await fifth.value.processID()
                #expect(process > 0)
                #expect(try await Self.used(mesh) == Resources(cpus: 4))
                _ = try await free.processID()
            }
        }

        @Test("GPUs are given by number, and seen before any code of the actor runs; parts share one")
        func gpus() async throws {
            let cluster = try await Cluster(resources: Self.node)
            try await cluster.drive { mesh in
                #expect(ActorContext.current.gpuIDs.isEmpty)
                let one = try await mesh.spawn(Tenant.self, options: Self.options(gpus: 1))
                let halves = [
                    try await mesh.spawn(Tenant.self, options: Self.options(gpus: 0.5)),
                    try await mesh.spawn(Tenant.self, options: Self.options(gpus: 0.5)),
                ]
                let none = try await mesh.spawn(Tenant.self)
                let views = try await one.views()
                #expect(
                    Set(views) == [Tenant.View(ids: [0], devices: "0")]
                        || Set(views) == [Tenant.View(ids: [1], devices: "1")])
                let shared = try await halves[0].views() + halves[1].views()
                #expect(Set(shared).count == 1 && shared[0].ids.count == 1 && shared[0].ids != views[0].ids)
                #expect(try await Set(none.views()) == [Tenant.View(ids: [], devices: "")])
                let error = await #expect(throws: MeshError.self) {
                    try await mesh.spawn(Tenant.self, options: Self.options(gpus: 1.5))
                }
                #expect(error?.code == .invalidArgument)
                try await mesh.kill(one)
                for half in halves { try await mesh.kill(half) }
                let both = try await mesh.spawn(Tenant.self, options: Self.options(gpus: 2))
                #expect(try await Set(both.views()) == [Tenant.View(ids: [0, 1], devices: "0,1")])
            }
        }

        @Test("what can never be is refused at once, in words; what is busy has a deadline of its own")
        func refusals() async throws {
            let cluster = try await Cluster(resources: Self.node)
            try await cluster.drive { mesh in
                let never = await #expect(throws: MeshError.self) {
                    try await mesh.spawn(Tenant.self, options: Self.options(gpus: 3))
                }
                #expect(never?.code == .insufficientResources)
                #expect(never?.message.contains("it needs 3 gpus, the largest node has 2") == true)
                let unknown = await #expect(throws: MeshError.self) {
                    try await mesh.spawn(
                        Tenant.self, options: ActorOptions(resources: Resources(custom: ["tape": 1])))
                }
                #expect(unknown?.code == .insufficientResources)
                #expect(unknown?.message.contains("1 tape, which no node has; there is: license") == true)
                let full = try await mesh.spawn(Tenant.self, options: Self.options("full", gpus: 2))
                let late = await #expect(throws: MeshError.self) {
                    try await mesh.spawn(
                        Tenant.self, options: Self.options("late", gpus: 1, timeout: .milliseconds(100)))
                }
                #expect(late?.code == .deadlineExceeded)
                #expect(late?.message.contains("1 gpu; fixtures has 0 of 2 free") == true, "\(late?.message ?? "")")
                let cut = await #expect(throws: MeshError.self) {
                    try await mesh.withDeadline(.milliseconds(100)) {
                        try await mesh.spawn(Tenant.self, options: Self.options("cut", gpus: 1))
                    }
                }
                #expect(cut?.code == .deadlineExceeded)
                // Nobody is left in the line, and no name is taken.
                try await poll { try await mesh.actors().count == 1 }
                try await mesh.kill(full)
                _ = try await mesh.spawn(Tenant.self, options: Self.options("late", gpus: 2)).processID()
            }
        }

        @Test("one who waits leaves the line when he is killed, and when whoever spawns him is cancelled or dies")
        func leaving() async throws {
            let cluster = try await Cluster(resources: Self.node)
            try await cluster.drive { mesh in
                let full = try await mesh.spawn(Tenant.self, options: Self.options("full", 4))
                let killed = Task { try await mesh.spawn(Tenant.self, options: Self.options("killed", 1)) }
                let cancelled = Task { try await mesh.spawn(Tenant.self, options: Self.options("cancelled", 1)) }
                try await poll { try await mesh.actors().count == 3 }
                cancelled.cancel()
                try await mesh.kill(id: try #require(try await mesh.info("killed")).id)
                #expect(await codeThrown { try await killed.value } == .actorDied)
                #expect(await codeThrown { try await cancelled.value } == .cancelled)
                try await poll { try await mesh.actors().count == 1 }
                try await mesh.kill(full)
                #expect(try await Self.used(mesh) == Resources())
            }
        }

        @Test("a restart keeps the accounts right, a killed worker gives back, and so does an actor that ends itself")
        func restarts() async throws {
            let cluster = try await Cluster(resources: Self.node)
            try await cluster.drive { mesh in
                let tenant = try await mesh.spawn(Tenant.self, options: Self.options("t", 3, gpus: 1, restarts: 3))
                let before = try await tenant.processID()
                for life in 2...3 as ClosedRange<UInt64> {
                    try? await tenant.crash()
                    try await poll {
                        try await mesh.info("t").map { $0.incarnation == life && $0.state == .alive } == true
                    }
                    #expect(try await Self.used(mesh) == Resources(cpus: 3, gpus: 1))
                    #expect(try await tenant.views().allSatisfy { $0.ids.count == 1 && $0.devices != "" })
                }
                #expect(try await tenant.processID() != before)
                let once = try await mesh.spawn(Tenant.self, options: Self.options(nil, 1, gpus: 1))
                kill(try await once.processID(), SIGKILL)
                try await poll { try await Self.used(mesh) == Resources(cpus: 3, gpus: 1) }
                let retiring = try await mesh.spawn(Tenant.self, options: Self.options(nil, 1, gpus: 1))
                try? await retiring.retire()
                try await poll { try await Self.used(mesh) == Resources(cpus: 3, gpus: 1) }
                try await mesh.kill(tenant)
                #expect(try await Self.used(mesh) == Resources())
            }
        }

        @Test("when a node is killed what was given there goes with it, and its actors wait for the other")
        func killedNode() async throws {
            let cluster = try await Cluster(nodes: ["one", "other"], resources: Self.node)
            try await cluster.drive { mesh in
                let tenants = [
                    try await mesh.spawn(Tenant.self, options: Self.options("a", 4, restarts: 9)),
                    try await mesh.spawn(Tenant.self, options: Self.options("b", 4, restarts: 9)),
                ]
                let victim = try #require(try await mesh.info("a")?.node)
                cluster.nodes[victim == "one" ? 0 : 1].send(SIGKILL)
                try await poll {
                    let count = try await mesh.nodes().count
                    let state = try await mesh.info("a")?.state
                    return count == 1 && state == .restarting
                }
                try await poll { try await mesh.info("a")?.waitsFor?.contains("4 cpus; ") == true }
                #expect(try await Self.used(mesh) == Resources(cpus: 4))
                try await mesh.kill(tenants[1])
                // A call that is made before the news of the death has come fails with it.
                try await poll { (try? await tenants[0].processID()) != nil }
                #expect(try await Self.used(mesh) == Resources(cpus: 4))
            }
        }

        @Test("another broker has the same accounts as the one before, and serves those who come then")
        func brokerRestarts() async throws {
            let cluster = try await Cluster(resources: Self.node)
            let second = try await cluster.drive { mesh in
                let tenant = try await mesh.spawn(Tenant.self, options: Self.options("t", 3, gpus: 1))
                let ids = try await tenant.views()[0].ids
                cluster.broker.send(SIGKILL)
                _ = await cluster.broker.wait()
                let second = try await cluster.restartBroker()
                try await poll { (try? await Self.used(mesh)) == Resources(cpus: 3, gpus: 1) }
                #expect(try await mesh.info("t")?.gpuIDs == ids)
                let other = try await mesh.spawn(Tenant.self, options: Self.options("o", 1, gpus: 1))
                #expect(try await other.views()[0].ids != ids)
                return second
            }
            _ = second
        }

        @Test("tasks with resources never have more than there is, one in a process, and give it back")
        func tasks() async throws {
            let cluster = try await Cluster(resources: Self.node)
            try await cluster.drive { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                var refs: [ObjectRef<Tenant.View>] = []
                let options = TaskOptions(resources: Resources(cpus: 1, gpus: 1))
                for _ in 0..<6 { refs.append(try await mesh.submit(Occupy(witness: witness), options: options)) }
                try await witness.wait(for: "in", count: 2)
                #expect(try await Self.used(mesh) == Resources(cpus: 2, gpus: 2))
                // Those that ask for nothing run beside them.
                _ = try await mesh.submit(Whereabouts()).value
                // One that does not want any more is no longer in the line.
                mesh.cancel(refs[5])
                #expect(await codeThrown { try await refs[5].value } == .cancelled)
                #expect(try await witness.count(of: "in") == 2)
                try await witness.reach("go")
                let views = try await mesh.get(Array(refs.prefix(5)), timeout: .seconds(60))
                #expect(views.allSatisfy { $0.ids.count == 1 && $0.devices == "\($0.ids[0])" })
                #expect(Set(views.map(\.ids)) == [[0], [1]])
                try await poll { try await Self.used(mesh) == Resources() }
                let never = try await mesh.submit(
                    Occupy(witness: witness), options: TaskOptions(resources: Resources(gpus: 3)))
                #expect(await codeThrown { try await never.value } == .insufficientResources)
                #expect(
                    await codeThrown {
                        try await mesh.submit(
                            Occupy(witness: witness), options: TaskOptions(resources: Resources(gpus: 1.5)))
                    } == .invalidArgument)
            }
        }

        @Test("placement groups that are made at the same time have all of their bundles or none, and give them back")
        func groups() async throws {
            let cluster = try await Cluster(nodes: ["one", "other"], resources: Self.node)
            try await cluster.drive { mesh in
                // Each wants half of both nodes: two fit.
                let bundles = [Resources(cpus: 2, gpus: 1), Resources(cpus: 2, gpus: 1)]
                let made = try await withThrowingTaskGroup(of: PlacementGroup?.self) { group in
                    for _ in 0..<5 {
                        group.addTask {
                            do {
                                return try await mesh.placementGroup(
                                    bundles, strategy: .strictSpread, timeout: .seconds(1))
                            } catch let error as MeshError where error.code == .deadlineExceeded {
                                #expect(error.message.contains("room for 2 of its 2 bundles"))
                                return nil
                            }
                        }
                    }
                    var made: [PlacementGroup] = []
                    for try await group in group { if let group { made.append(group) } }
                    return made
                }
                #expect(made.count == 2)
                #expect(try await Self.used(mesh) == Resources(cpus: 8, gpus: 4))
                let options = Self.options("in", 2, gpus: 1, group: made[0], bundle: 1)
                let tenant = try await mesh.spawn(Tenant.self, options: options)
                #expect(try await tenant.views()[0].ids.count == 1)
                #expect(try await Self.used(mesh) == Resources(cpus: 8, gpus: 4))
                let crowded = await #expect(throws: MeshError.self) {
                    var options = options
                    options.name = "crowded"
                    options.placementTimeout = .milliseconds(100)
                    return try await mesh.spawn(Tenant.self, options: options)
                }
                #expect(crowded?.code == .deadlineExceeded)
                try await mesh.remove(made[0])
                #expect(try await mesh.terminated(tenant).cause == .killed)
                #expect(try await Self.used(mesh) == Resources(cpus: 4, gpus: 2))
                let never = await #expect(throws: MeshError.self) {
                    try await mesh.placementGroup([Resources(cpus: 3), Resources(cpus: 3)], strategy: .strictPack)
                }
                #expect(never?.code == .insufficientResources)
                let gone = await #expect(throws: MeshError.self) { try await mesh.spawn(Tenant.self, options: options) }
                #expect(gone?.code == .invalidArgument)
            }
            try await cluster.drive { mesh in
                // What the program before owned has ended with it.
                try await poll { try await Self.used(mesh) == Resources() }
            }
        }
    }
}
