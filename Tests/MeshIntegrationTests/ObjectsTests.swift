import ActorMesh
import FoundationEssentials
import MeshCore
import MeshFixtures
import MeshRuntime
import MeshTesting
import Testing

extension Integration {
    @Suite("References to objects (O1, O3)", .timeLimit(.minutes(10)))
    struct ObjectsTests {
        private let large = Cargo.sample(3, bytes: 9 << 20)

        @Test(
            "another host fetches a large value once, in pieces, however many ask",
            arguments: [["a", "b"], ["a", "a"]])
        func hosts(hosts: [String]) async throws {
            try await withTestMesh(hosts: hosts) { test in
                let vault = try await test.host { Vault(actorSystem: $0) }
                let ref = try await test.meshes[0].put(self.large)
                for _ in 0..<3 { try await vault.keep(ref) }
                let sum = self.large.numbers.reduce(0, +)
                #expect(try await vault.sum() == 3 * sum)
                // What a host has already it does not fetch.
                let copies = test.meshes[1].objects.storeIfMade?.usage.count ?? 0
                #expect(copies == (hosts[0] == hosts[1] ? 0 : 1))
                #expect(test.meshes[0].objects.storeIfMade?.usage.count == 1)
            }
        }

        @Test("numbers and bytes are read in place")
        func inPlace() async throws {
            try await withTestMesh(parts: 1) { test in
                let mesh = test.meshes[0]
                for count in [10, 100_000] {
                    let numbers = (0..<count).map { Double($0) }
                    let ref = try await mesh.put(numbers)
                    #expect(
                        try await ref.withSpan { span in (0..<span.count).reduce(0) { $0 + span[$1] } }
                            == numbers.reduce(0, +))
                    let bytes = Data((0..<count).map { UInt8(truncatingIfNeeded: $0) })
                    let blob = try await mesh.put(bytes)
                    let last = try await blob.withBytes { span in
                        #expect(span.byteCount == count)
                        return span.unsafeLoad(fromByteOffset: count - 1, as: UInt8.self)
                    }
                    #expect(last == bytes[count - 1])
                }
            }
        }

        @Test("what one reader changes nobody else sees")
        func immutable() async throws {
            try await withTestMesh(parts: 1) { test in
                let ref = try await test.meshes[0].put(Data(repeating: 7, count: 1 << 20))
                do {
                    var mine = try await ref.value
                    mine[5] = 1
                    #expect(mine[5] == 1)
                }
                #expect(try await ref.value == Data(repeating: 7, count: 1 << 20))
            }
        }

        @Test("a file becomes an object, and later changes of it change nothing", arguments: [10, 1 << 20])
        func files(size: Int) async throws {
            let directory = try TemporaryDirectory()
            defer { directory.remove() }
            let path = "\(directory.path)/data"
            let content = Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            try content.write(to: URL(fileURLWithPath: path))
            try await withTestMesh(parts: 1) { test in
                let ref = try await test.meshes[0].put(contentsOf: path)
                try Data(repeating: 0, count: size).write(to: URL(fileURLWithPath: path))
                #expect(try await ref.value == content)
                for wrong in ["\(directory.path)/none", directory.path, "/proc/self/status"] {
                    let error = await #expect(throws: MeshError.self) {
                        try await test.meshes[0].put(contentsOf: wrong)
                    }
                    #expect(error?.code == .invalidArgument)
                }
            }
        }

        @Test("with no room in memory nor on disk a value is refused, and nothing is left of it")
        func full() async throws {
            let settings = MeshSettings(objectMemory: .bytes(4 << 20), spillDirectory: "/nowhere")
            try await withTestMesh(parts: 1, settings: settings) { test in
                let mesh = test.meshes[0]
                let first = try await mesh.put(Data(repeating: 1, count: 3 << 20))
                for size in [2 << 20, 8 << 20] {
                    let error = await #expect(throws: MeshError.self) {
                        try await mesh.put(Data(repeating: 2, count: size))
                    }
                    #expect(error?.code == .insufficientResources)
                    #expect(error?.message.contains("/nowhere") == true)
                }
                #expect(try await first.value == Data(repeating: 1, count: 3 << 20))
                #expect(mesh.objects.storeIfMade?.usage.count == 1)
                #expect(mesh.objects.storeIfMade?.usage.bytes ?? 0 < 4 << 20)
            }
        }

        @Test("a reference is awaited by many, also before there is a value, and by whoever it was passed to")
        func pending() async throws {
            try await withTestMesh { test in
                let witness = try await test.host(maxConcurrency: .max) { Witness(actorSystem: $0) }
                let vault = try await test.host { Vault(actorSystem: $0) }
                let cargo = Cargo.sample(1, bytes: 64)
                let ref = try await test.meshes[0].submit {
                    try await witness.wait(for: "go", count: 1)
                    return cargo
                }
                try await vault.keep(ref)
                async let read = vault.read()
                try await witness.reach("go")
                #expect(try await read == [cargo])
                // It comes home as what it was.
                #expect(try await vault.refs().first == ref)
            }
        }

        @Test("a large result of a call is there for all to whom its reference was passed, as long as they have it")
        func largeResult() async throws {
            try await withTestMesh(parts: 3) { test in
                let maker = try await test.host(in: 1) { Vault(actorSystem: $0) }
                let cargo = Cargo.sample(4, bytes: 1 << 20)
                try await maker.keep(try await test.meshes[0].put(cargo))
                let ref = try await test.meshes[0].submit { try await maker.read()[0] }
                let readers = [
                    try await test.host(in: 1) { Vault(actorSystem: $0) },
                    try await test.host(in: 2) { Vault(actorSystem: $0) },
                ]
                for reader in readers { try await reader.keep(ref) }
                for _ in 0..<2 {
                    for reader in readers { #expect(try await reader.sum() == cargo.numbers.reduce(0, +)) }
                }
            }
        }

        @Test("an owner that is gone, or was never there, is told as objectLost")
        func lost() async throws {
            try await withTestMesh { test in
                let vault = try await test.host { Vault(actorSystem: $0) }
                let ref = try await vault.make(1, bytes: 1 << 20)
                test.lose(1)
                let error = await #expect(throws: MeshError.self) { try await ref.value }
                #expect(error?.code == .objectLost)
                #expect(error?.message.contains("has ended") == true)
            }
        }

        @Test("a reference of another type is refused, not misread")
        func mistyped() async throws {
            try await withTestMesh { test in
                let (one, other) = (test.meshes[0], test.meshes[1])
                for count in [4, 100_000] {
                    let ref = try await one.put([Double](repeating: 0.5, count: count))
                    let wrong: ObjectRef<[Int32]> = try other.decode(
                        ObjectRef<[Int32]>.self, from: try one.encode(ref), what: "a reference")
                    let error = await #expect(throws: MeshError.self) { try await wrong.value }
                    #expect(error?.code == .decodingFailed)
                    let span = await #expect(throws: MeshError.self) { try await wrong.withSpan { $0.count } }
                    #expect(span?.code == .decodingFailed)
                }
            }
        }
    }
}
