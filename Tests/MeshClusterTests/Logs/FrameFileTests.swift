import FoundationEssentials
import MeshCluster
import Testing

@Suite struct FrameFileTests {
    private func frames(_ path: String) throws -> [Data] {
        var found: [Data] = []
        _ = try FrameFile(path: path) { frame, _ in found.append(Data(frame)) }
        return found
    }

    @Test("what was written is there again, in order")
    func again() throws {
        let folder = Folder()
        let file = try FrameFile(path: "\(folder.path)/f")
        let written = (1...20).map { Data(repeating: UInt8($0), count: $0 * 50) }
        for frame in written { try file.append(frame) }
        #expect(try self.frames("\(folder.path)/f") == written)
    }

    @Test("a file that ends at any byte has the frames that are whole, and takes more")
    func torn() throws {
        let folder = Folder()
        let path = "\(folder.path)/f"
        let file = try FrameFile(path: path)
        let written = [Data("one".utf8), Data("two".utf8), Data("three".utf8)]
        let ends = try written.map { frame in
            try file.append(frame)
            return file.size
        }
        let whole = try #require(FileManager.default.contents(atPath: path))
        for length in 0...whole.count {
            try whole.prefix(length).write(to: URL(filePath: path))
            let count = ends.count { $0 <= length }
            let opened = try FrameFile(path: path)
            try opened.append(Data("more".utf8))
            #expect(try self.frames(path) == written.prefix(count) + [Data("more".utf8)])
        }
    }

    @Test("garbage is cut off, whatever it looks like", arguments: 0..<200)
    func garbage(seed: UInt64) throws {
        var random = SeededBytes(seed)
        let folder = Folder()
        let path = "\(folder.path)/f"
        let file = try FrameFile(path: path)
        try file.append(Data("good".utf8))
        let good = try #require(FileManager.default.contents(atPath: path))
        try (good + random.bytes(Int(random.next() % 400))).write(to: URL(filePath: path))
        #expect(try self.frames(path).first == Data("good".utf8))
        // Any byte changed: never another frame than one that was written.
        var changed = good
        changed[Int(random.next() % UInt64(good.count))] ^= UInt8(1 + random.next() % 255)
        try changed.write(to: URL(filePath: path))
        #expect(try self.frames(path).allSatisfy { $0 == Data("good".utf8) })
    }

    @Test("in memory and in a file, reading from a place gives the same")
    func reading() throws {
        let folder = Folder()
        let (memory, file) = (FrameFile(), try FrameFile(path: "\(folder.path)/f"))
        var places: [Int] = []
        for number in 0..<50 {
            let frame = Data(repeating: UInt8(number), count: 100 + 700 * (number % 3))
            places.append(try memory.append(frame))
            #expect(try file.append(frame) == places.last)
        }
        for (index, place) in places.enumerated() {
            for one in [memory, file] {
                var numbers: [UInt8] = []
                _ = try one.read(from: place, limit: 1000) { frame, _ in
                    numbers.append(frame[0])
                    return true
                }
                #expect(numbers.first == UInt8(index))
                #expect(numbers == Array(UInt8(index)..<UInt8(index + numbers.count)))
            }
        }
    }
}

/// The same bytes for the same seed.
struct SeededBytes {
    private var state: UInt64

    init(_ seed: UInt64) { self.state = seed &+ 0x9e37_79b9_7f4a_7c15 }

    mutating func next() -> UInt64 {
        self.state ^= self.state << 13
        self.state ^= self.state >> 7
        self.state ^= self.state << 17
        return self.state
    }

    mutating func bytes(_ count: Int) -> Data { Data((0..<count).map { _ in UInt8(truncatingIfNeeded: self.next()) }) }
}
