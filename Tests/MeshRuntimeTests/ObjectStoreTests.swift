import FoundationEssentials
import Glibc
import MeshCore
import MeshTesting
import Testing

@testable import MeshRuntime

@Suite("A store of large values", .timeLimit(.minutes(10)))
struct ObjectStoreTests {
    private let address = PeerAddress(
        peer: PeerID(1), host: HostID("here"), processID: getpid(), startTime: 0, endpoints: [])
    private let foreign = PeerAddress(
        peer: PeerID(2), host: HostID("there"), processID: 1, startTime: 0, endpoints: [])

    private func store(_ budget: Int = 1 << 20) -> ObjectStore {
        ObjectStore(address: self.address, budget: budget, spillDirectory: FileManager.default.temporaryDirectory.path)
    }

    /// Memory with a value of one large part, sealed.
    private func segment(_ number: UInt64, bytes: Int, shift: UInt64 = 0) throws -> SegmentFile {
        let layout = SegmentLayout(head: 8, parts: [bytes + 64])
        var header = layout.header(number: number, maker: 3)
        let part = [UInt64(layout.parts[0].lowerBound) + shift, UInt64(bytes)].map(\.littleEndian)
        part.withUnsafeBytes { header.replaceSubrange(48..<64, with: $0) }
        let file = try SegmentFile.memory("actormesh-test")
        try header.withUnsafeBytes { try file.write($0, at: 0) }
        try Data(repeating: 7, count: layout.size - header.count).withUnsafeBytes {
            try file.write($0, at: header.count)
        }
        try file.seal()
        return file
    }

    @Test("large objects may take three tenths of the memory that the process may use, or what it is told")
    func budget() {
        var settings = MeshSettings()
        settings.availableMemory = { 1 << 30 }
        #expect(settings.objectBudget == (1 << 30) / 10 * 3)
        settings.objectMemory = .mebibytes(5)
        #expect(settings.objectBudget == 5 << 20)
    }

    @Test("what is taken over for an owner that ends meanwhile is not kept")
    func ownerEnds() async throws {
        for number in 1...20 as ClosedRange<UInt64> {
            // It is larger than the budget, and has to be written to disk first.
            let store = self.store(1 << 10)
            let file = try self.segment(number, bytes: 4 << 20)
            let adoption = Task.immediate {
                try await store.adopt(
                    number, of: PeerID(3), process: getpid(), descriptor: file.descriptor, size: file.size,
                    for: PeerID(4))
            }
            store.forget([PeerID(4)])
            _ = await adoption.result
            #expect(store.usage.count == 0 && store.usage.bytesOnDisk == 0)
        }
    }

    @Test("what a process made for others is known by their names, until it is freed")
    func makers() async throws {
        let store = self.store()
        for (number, owner) in [(1, 4), (2, 4), (3, 3)] as [(UInt64, UInt64)] {
            let file = try self.segment(number, bytes: 1 << 10)
            _ = try await store.adopt(
                number, of: PeerID(3), process: getpid(), descriptor: file.descriptor, size: file.size,
                for: PeerID(owner), at: owner == 4 ? self.foreign : nil)
        }
        _ = store.free([1], of: PeerID(4))
        #expect(store.made(by: PeerID(3)) == [self.foreign: [2]])
        #expect(store.made(by: PeerID(3)) == [:])
    }

    @Test("what is being fetched is seen, and comes though who asked for it first does not want it any more")
    func progress() async throws {
        let store = self.store()
        let object = StoredObject(number: 5, maker: PeerID(3), store: self.foreign, descriptor: 0, size: 1000)
        let steps = Checkpoints()
        let fetch: @Sendable (SegmentFile, @escaping @Sendable (Int) -> Void) async throws -> Void = { _, progress in
            progress(400)
            steps.reach("begun")
            try await steps.wait(for: "go")
            progress(600)
        }
        let first = Task { try await store.copy(of: object, fetch) }
        try await steps.wait(for: "begun")
        #expect(store.usage.bytesToFetch == 600)
        first.cancel()
        let error = await #expect(throws: MeshError.self) { try await first.value }
        #expect(error?.code == .cancelled)
        #expect(store.usage.bytesToFetch == 600)
        steps.reach("go")
        let copy = try await store.copy(of: object) { _, _ in Issue.record("it is fetched once") }
        #expect(copy.size == 1000 && copy.store == self.address)
        #expect(store.usage.bytesToFetch == 0 && store.usage.count == 1)
        // Its host has vanished.
        store.forgetCopies(from: self.foreign.peer)
        #expect(store.usage.count == 0 && store.usage.bytes == 0)
    }

    @Test("numbers that do not lie as the processor needs them are not read in place")
    func misaligned() async throws {
        for (shift, isAligned) in [(0, true), (4, false), (8, true)] as [(UInt64, Bool)] {
            let file = try self.segment(9, bytes: 64, shift: shift)
            let mapping = try #require(try SegmentMapping(file, number: 9, maker: 3))
            #expect(mapping.isAligned(for: Double.self) == isAligned)
            #expect(mapping.isAligned(for: UInt8.self))
        }
    }
}
