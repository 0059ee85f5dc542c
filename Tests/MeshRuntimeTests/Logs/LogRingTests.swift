import CMeshPlatform
import Glibc
import MeshCore
import MeshRuntime
import Testing

@Suite struct LogRingTests {
    private func makeRing(capacity: Int = 4096) throws -> (writer: LogRing, reader: LogRing) {
        let descriptor = cmesh_memory_file("test")
        defer { close(descriptor) }
        let reader = try LogRing(descriptor: descriptor, isNew: true, capacity: capacity)
        return (try LogRing(descriptor: descriptor, isNew: false), reader)
    }

    /// Takes what is there.
    private func take(_ ring: LogRing) -> [[UInt8]] {
        let place = ring.readPlace
        let bytes = ring.unread(from: place, limit: ring.capacity)
        let frames = LogRingFrames(bytes)
        ring.finishReading(to: place &+ UInt32(frames.size))
        return frames.records.map { Array(bytes[$0]) }
    }

    @Test("what was written is read, around the end again and again")
    func around() throws {
        let (writer, reader) = try self.makeRing()
        for round in 0..<2000 {
            let record = [UInt8](repeating: UInt8(truncatingIfNeeded: round), count: 1 + round % 1500)
            _ = record.withUnsafeBytes { writer.write($0) }
            #expect(self.take(reader) == [record])
        }
    }

    @Test("the writer waits while the ring is full, and nothing is lost or mixed")
    func full() async throws {
        let (writer, reader) = try self.makeRing()
        let count = 20_000
        async let written: Void = Task.detached {
            for number in 0..<count {
                withUnsafeBytes(of: UInt64(number)) { _ = writer.write($0) }
            }
        }.value
        var next: UInt64 = 0
        while next < UInt64(count) {
            for record in self.take(reader) {
                let number = record.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
                #expect(number == next)
                next += 1
            }
            await Task.yield()
        }
        await written
    }

    @Test("a reader that sleeps is to be woken once, and does not fall asleep beside a record")
    func sleeping() throws {
        let (writer, reader) = try self.makeRing()
        let record: [UInt8] = [1, 2, 3]
        #expect(reader.sleep())
        #expect(record.withUnsafeBytes { writer.write($0) })
        #expect(!record.withUnsafeBytes { writer.write($0) })
        #expect(!reader.sleep())
        #expect(self.take(reader).count == 2)
        #expect(reader.sleep())
    }

    @Test("files that are no rings are refused")
    func noRing() throws {
        let descriptor = cmesh_memory_file("test")
        defer { close(descriptor) }
        #expect(throws: MeshError.self) { try LogRing(descriptor: descriptor, isNew: false) }
        ftruncate(descriptor, 8192)
        #expect(throws: MeshError.self) { try LogRing(descriptor: descriptor, isNew: false) }
    }
}
