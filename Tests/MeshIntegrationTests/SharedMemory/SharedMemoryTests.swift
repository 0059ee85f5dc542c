import ActorMesh
import FoundationEssentials
import MeshFixtures
import MeshTesting
import MeshTransportInProcess
import Testing

@testable import MeshRuntime

extension Integration {
    /// Large values between processes of one host.
    @Suite("Shared memory for large values", .timeLimit(.minutes(10)))
    struct SharedMemoryTests {
        static let size = 1 << 20

        /// Bytes that differ from one seed to the next, in every page.
        static func bytes(_ seed: Int, count: Int = size) -> Data {
            var data = Data(repeating: UInt8(truncatingIfNeeded: seed), count: count)
            for index in stride(from: 0, to: count, by: 4093) {
                data[index] = UInt8(truncatingIfNeeded: index / 4093 &+ seed)
            }
            return data
        }

        /// What of the bytes tells them from others.
        static func sum(_ data: Data) -> Int {
            stride(from: 0, to: data.count, by: 4093).reduce(0) { $0 &* 31 &+ Int(data[$1]) }
        }

        /// The slots that part 0 has for part 1.
        private func lent(_ test: TestMesh, by part: Int = 0, to other: Int = 1) -> Int {
            test.meshes[part].peers.known(test.meshes[other].address.peer)?.lent.count ?? 0
        }

        @Test("large values come back as they went, also while slots are used again", arguments: TestMesh.Form.allCases)
        func values(form: TestMesh.Form) async throws {
            try await withTestMesh(form) { test in
                let echo = try await test.host { Echo(actorSystem: $0) }
                for seed in 0..<20 {
                    let data = Self.bytes(seed)
                    #expect(try await echo.data(data) == data)
                    let numbers = (0..<100_000).map { Double($0 + seed) }
                    #expect(try await echo.generic(numbers) == numbers)
                    let several = (0..<3).map { Self.bytes(seed + $0, count: 100_000 + $0) }
                    #expect(try await echo.reversed(several) == several.reversed())
                }
                for mesh in test.meshes {
                    #expect(mesh.peers.sharedMemory.useCount > 0)
                    #expect(mesh.peers.sharedMemory.used <= 64 << 20)
                }
            }
        }

        @Test("calls with large values run in order and once, whatever the network does")
        func faults() async throws {
            let faults = Faults(drop: 0.1, duplicate: 0.1, delay: 0.2, maximumDelay: .milliseconds(3))
            for seed in 0..<5 as Range<UInt64> {
                try await withTestMesh(.inProcess, faults: faults, seed: seed) { test in
                    let scribe = try await test.host { Collector(actorSystem: $0) }
                    var sums: [ObjectRef<Int>] = []
                    for number in 0..<40 {
                        let data = Self.bytes(number, count: 80_000)
                        sums.append(try await test.meshes[0].submit { try await scribe.add(number, data) })
                    }
                    for (number, sum) in sums.enumerated() {
                        #expect(try await sum.value == Self.sum(Self.bytes(number, count: 80_000)))
                    }
                    #expect(try await scribe.numbers() == Array(0..<40))
                }
            }
        }

        @Test("many callers at once get what they sent")
        func concurrent() async throws {
            try await withTestMesh(.zeroMQ) { test in
                let echoes = try await [
                    test.host(maxConcurrency: 8) { Echo(actorSystem: $0) }, test.host { Echo(actorSystem: $0) },
                ]
                await withTaskGroup(of: Bool.self) { group in
                    for caller in 0..<8 {
                        group.addTask {
                            for round in 0..<50 {
                                let data = Self.bytes(caller * 50 + round, count: 70_000 + 20_000 * caller)
                                guard (try? await echoes[round % 2].data(data)) == data else { return false }
                            }
                            return true
                        }
                    }
                    for await isRight in group { #expect(isRight) }
                }
                #expect(test.meshes[0].peers.sharedMemory.useCount > 50)
            }
        }

        @Test("a value that its receiver changes is its own")
        func changed() async throws {
            try await withTestMesh { test in
                let echo = try await test.host { Echo(actorSystem: $0) }
                let data = Self.bytes(1)
                for _ in 0..<3 { _ = try await echo.data(data) }
                var first = try await echo.data(data)
                for index in first.indices { first[index] = 0 }
                let second = try await echo.data(data)
                #expect(first == Data(count: Self.size))
                #expect(second == data)
            }
        }

        @Test("who keeps what it got keeps it as it was, and others go by the socket")
        func kept() async throws {
            try await withTestMesh { test in
                let collector = try await test.host { Collector(actorSystem: $0) }
                let count = 3 * LendingLedger.mostSlots
                for number in 0..<count { _ = try await collector.keep(Self.bytes(number, count: 100_000)) }
                #expect(self.lent(test) <= LendingLedger.mostSlots)
                for number in 0..<count {
                    #expect(try await collector.kept(number) == Self.bytes(number, count: 100_000))
                }
            }
        }

        @Test("slots are given back when they were not used for a while, on both sides")
        func idle() async throws {
            try await withTestMesh { test in
                let echo = try await test.host { Echo(actorSystem: $0) }
                for seed in 0..<5 { _ = try await echo.data(Self.bytes(seed)) }
                #expect(test.meshes[0].peers.sharedMemory.useCount > 0)
                #expect(
                    try await poll {
                        self.lent(test) == 0 && self.lent(test, by: 1, to: 0) == 0
                            && test.meshes.allSatisfy { mesh in
                                mesh.peers.sharedMemory.used == 0
                                    && mesh.peers.all.allSatisfy { $0.borrowed.count == 0 }
                            }
                    })
                #expect(try await echo.data(Self.bytes(9)) == Self.bytes(9))
            }
        }

        @Test("a receiver that dies gives its slots back; what it sent stays readable")
        func death() async throws {
            try await withTestMesh { test in
                let collector = try await test.host { Collector(actorSystem: $0) }
                let echo = try await test.host { Echo(actorSystem: $0) }
                for number in 0..<5 { _ = try await collector.keep(Self.bytes(number)) }
                for seed in 0..<3 { _ = try await echo.data(Self.bytes(seed)) }
                let last = try await echo.data(Self.bytes(7))
                #expect(test.meshes[0].peers.sharedMemory.useCount > 0)
                test.lose(1)
                #expect(test.meshes[0].peers.sharedMemory.used == 0)
                #expect(last == Self.bytes(7))
            }
        }

        @Test("after a link was given up the next one has slots of its own")
        func givenUp() async throws {
            try await withTestMesh { test in
                let echo = try await test.host { Echo(actorSystem: $0) }
                for round in 0..<5 {
                    let before = test.meshes[0].peers.sharedMemory.useCount
                    for seed in 0..<5 {
                        let data = Self.bytes(round + seed)
                        #expect(try await echo.data(data) == data)
                    }
                    #expect(test.meshes[0].peers.sharedMemory.useCount > before)
                    test.giveUp(round % 2, by: 1 - round % 2)
                    // The first call may find out that the link was given up.
                    _ = try? await echo.data(Data())
                }
            }
        }

        @Test(
            "processes of different hosts, and those that have none to spare, share no memory",
            arguments: [true, false])
        func apart(areOnDifferentHosts: Bool) async throws {
            var settings = MeshSettings()
            if !areOnDifferentHosts { settings.sharedMemory = 0 }
            try await withTestMesh(settings: settings, hosts: areOnDifferentHosts ? ["a", "b"] : nil) { test in
                let echo = try await test.host { Echo(actorSystem: $0) }
                for seed in 0..<5 { #expect(try await echo.data(Self.bytes(seed)) == Self.bytes(seed)) }
                #expect(test.meshes.allSatisfy { $0.peers.sharedMemory.useCount == 0 })
                #expect(test.meshes[1].peers.all.allSatisfy { $0.borrowed.count == 0 })
            }
        }
    }
}

/// Adds up and keeps what it gets.
private distributed actor Collector: RemoteActor {
    private var order: [Int] = []
    private var values: [Data] = []

    init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    distributed func add(_ number: Int, _ data: Data) -> Int {
        self.order.append(number)
        return Integration.SharedMemoryTests.sum(data)
    }

    distributed func numbers() -> [Int] { self.order }

    distributed func keep(_ data: Data) -> Int {
        self.values.append(data)
        return self.values.count
    }

    distributed func kept(_ index: Int) -> Data { self.values[index] }
}
