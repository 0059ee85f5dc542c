import ActorMesh
import FoundationEssentials
import MeshFixtures
import MeshRuntime
import Testing

extension Processes {
    /// O1, O2 and O3: values that are shared by reference.
    @Suite struct Objects {
        static let small = 1 << 10
        static let large = 4 << 20

        @Test("O1: what was put is read by its owner, by actors and by tasks", arguments: [small, large])
        func shared(bytes: Int) async throws {
            try await withFixtures { mesh in
                let cargo = Cargo.sample(3, bytes: bytes)
                let ref = try await mesh.put(cargo)
                #expect(try await ref.value == cargo)
                let vault = try await mesh.spawn(Vault.self)
                try await vault.keep(ref)
                #expect(try await vault.read() == [cargo])
                let sum = try await mesh.submit(SumCargo(ref)).value
                #expect(sum == cargo.numbers.reduce(0, +))
                #expect(mesh.objects.storeIfMade?.usage.count ?? 0 == (bytes == Self.large ? 1 : 0))
            }
        }

        @Test("what a task put is there though its worker is needed no more; with the last reference that ends")
        func workersObjects() async throws {
            let cluster = try await Cluster(resources: ["--gpus", "1"])
            try await cluster.drive { mesh in
                let options = TaskOptions(resources: Resources(gpus: 1))
                let sizes = [Self.small, 256 << 10]
                var processes: Set<Int32> = []
                do {
                    var made: [[Consignment]] = []
                    for seed in 0..<4 {
                        let task = PutCargo(seed: seed, sizes: sizes)
                        made.append(try await mesh.submit(task, options: options).value)
                    }
                    // Each had the one GPU in a process of its own.
                    processes = Set(made.joined().map(\.process))
                    #expect(processes.count == 4)
                    for (seed, consignments) in made.enumerated() {
                        for (consignment, bytes) in zip(consignments, sizes) {
                            let cargo = try await consignment.cargo.value
                            #expect(cargo == Cargo.sample(seed, bytes: bytes))
                        }
                    }
                    #expect(processes.allSatisfy { ProcessTable.isRunning($0) })
                }
                try await poll { !processes.contains { ProcessTable.isRunning($0) } }
                #expect(try await mesh.nodes().map(\.used.gpus) == [0])
            }
        }

        @Test("O1: a value lives as long as a reference to it, wherever that is, and no longer")
        func counted() async throws {
            try await withFixtures { mesh in
                let vault = try await mesh.spawn(Vault.self)
                do { try await vault.keep(try await mesh.put(Cargo.sample(1, bytes: Self.large))) }
                #expect(try await vault.sum() == Cargo.sample(1, bytes: Self.large).numbers.reduce(0, +))
                #expect(mesh.objects.counts.given == 1)
                try await vault.drop()
                try await poll { mesh.objects.counts.given == 0 && mesh.objects.storeIfMade?.usage.count == 0 }
                #expect(mesh.objects.storeIfMade?.usage.bytes == 0)
            }
        }

        @Test("O1: what a worker puts is freed, also when a deadline passes meanwhile")
        func givenUp() async throws {
            try await withFixtures { mesh in
                let vault = try await mesh.spawn(Vault.self)
                try await vault.giveUp(times: 100, bytes: 1 << 20)
                try await poll { mesh.objects.storeIfMade?.usage.count == 0 }
            }
        }

        @Test("O2: a large result stays where it was made until somebody gets it")
        func results() async throws {
            try await withFixtures { mesh in
                do {
                    let ref = try await mesh.submit(MakeCargo(seed: 5, bytes: Self.large))
                    _ = try await mesh.wait([ref])
                    #expect(mesh.objects.storeIfMade?.usage.count == 1)
                    #expect(try await ref.value == Cargo.sample(5, bytes: Self.large))
                    #expect(
                        try await mesh.submit(SumCargo(ref)).value
                            == Cargo.sample(5, bytes: Self.large).numbers.reduce(0, +))
                }
                try await poll { mesh.objects.storeIfMade?.usage.count == 0 }
            }
        }

        @Test("a task waits for what it refers to, and has its error")
        func inputs() async throws {
            try await withFixtures { mesh in
                let cargo = try await mesh.submit(MakeCargo(seed: 2, bytes: Self.small))
                #expect(
                    try await mesh.submit(SumCargo(cargo)).value
                        == Cargo.sample(2, bytes: Self.small).numbers.reduce(0, +))
            }
        }

        @Test("O3: an object whose owner has died is lost, and says so")
        func lost() async throws {
            try await withFixtures { mesh in
                let vault = try await mesh.spawn(Vault.self)
                let ref = try await vault.make(7, bytes: Self.small)
                let unread = try await vault.make(8, bytes: Self.large)
                #expect(try await ref.value == Cargo.sample(7, bytes: Self.small))
                try await mesh.kill(vault)
                // What was read is here.
                #expect(try await ref.value == Cargo.sample(7, bytes: Self.small))
                let error = await #expect(throws: MeshError.self) { try await unread.value }
                #expect(error?.code == .objectLost)
                try await poll { mesh.objects.storeIfMade?.usage.count == 0 }
            }
        }

        @Test("O1: what is more than memory may take goes to disk, and is read from there unseen")
        func spilled() async throws {
            let settings = MeshSettings(objectMemory: .bytes(Int64(3 * Self.large)))
            try await withFixtures(settings: settings) { mesh in
                var refs: [ObjectRef<Cargo>] = []
                for seed in 0..<8 { refs.append(try await mesh.put(Cargo.sample(seed, bytes: Self.large))) }
                let usage = try #require(mesh.objects.storeIfMade?.usage)
                #expect(usage.bytes <= 3 * Self.large)
                #expect(usage.bytesOnDisk > 4 * Self.large)
                let vault = try await mesh.spawn(Vault.self)
                for ref in refs { try await vault.keep(ref) }
                #expect(try await vault.read() == (0..<8).map { Cargo.sample($0, bytes: Self.large) })
                refs = []
                try await vault.drop()
                try await poll { mesh.objects.storeIfMade?.usage == ObjectUsage(budget: 3 * Self.large) }
            }
        }
    }
}
