import ActorMesh
import FoundationEssentials
import Glibc
import MeshFixtures
import MeshRuntime
import Testing

extension Processes {
    /// Large values between processes go through shared memory, of which nothing is left.
    @Suite struct SharedMemory {
        private static let size = 300_000

        @Test("large values travel through memory that both have mapped")
        func used() async throws {
            try await withFixtures { mesh in
                let hauler = try await mesh.spawn(Hauler.self)
                let echo = try await mesh.spawn(Echo.self)
                for seed in 0..<10 {
                    let data = Hauler.bytes(seed, count: Self.size)
                    #expect(try await echo.data(data) == data)
                }
                #expect(SharedMemoryOfProcess.slots > 0)
                async let haul = hauler.haul(Self.size, through: echo)
                try await Task.sleep(for: .milliseconds(100))
                try await mesh.kill(echo)
                let result = try await haul
                #expect(result.done > 0 && !result.areWrong)
                // All give back what they do not use.
                try await poll { try await hauler.slots() == 0 && SharedMemoryOfProcess.slots == 0 }
            }
        }

        @Test(
            "kill -9 of who receives or sends large values leaves nothing with those who live",
            arguments: [true, false])
        func killed(isReceiver: Bool) async throws {
            let before = Self.filesInSharedMemory
            try await withFixtures { mesh in
                for round in 0..<3 {
                    let echo = try await mesh.spawn(Echo.self)
                    let hauler = try await mesh.spawn(Hauler.self)
                    let victim = isReceiver ? mesh.peer(of: echo) : mesh.peer(of: hauler)
                    let process = try #require(mesh.peers.known(victim)?.address.processID)
                    let survivor = try await mesh.spawn(Hauler.self)
                    let hauls = (0..<3).map { _ in
                        Task { [isReceiver] in
                            // The victim has one end, and somebody who lives the other.
                            isReceiver
                                ? try? await survivor.haul(Self.size, through: echo)
                                : try? await hauler.haul(Self.size, through: echo)
                        }
                    }
                    let own = Task {
                        var done = 0
                        while let back = try? await echo.data(Hauler.bytes(done, count: Self.size)) {
                            guard back == Hauler.bytes(done, count: Self.size) else { return -1 }
                            done += 1
                            if !isReceiver, done > 50 { break }
                        }
                        return done
                    }
                    // When large values have gone back and forth for a while.
                    try await poll { SharedMemoryOfProcess.slots > 0 }
                    try await Task.sleep(for: .milliseconds(20 * (round + 1)))
                    kill(process, SIGKILL)
                    for haul in hauls {
                        let result = await haul.value
                        #expect(result?.areWrong != true)
                    }
                    #expect(await own.value >= 0)
                    try await poll { try await survivor.slots() == 0 }
                }
                try await poll { SharedMemoryOfProcess.slots == 0 }
            }
            #expect(Self.filesInSharedMemory == before)
        }

        private static var filesInSharedMemory: Int {
            (try? FileManager.default.contentsOfDirectory(atPath: "/dev/shm").count) ?? 0
        }
    }
}
