/// A place in validated bytes: an offset, and the index in the outline of the first container at or behind it.
struct Position {
    var offset: Int
    var container: Int

    /// Stands for a value that is not there and reads as nil.
    static let absent = Position(offset: -1, container: 0)
}

/// Where the containers of one value end, in the order in which they begin.
///
/// One scan over the bytes checks their structure and makes the outline; afterwards any value can be stepped over in
/// constant time. It takes 16 bytes for each container, at most 32 for each byte of input while it grows.
///
/// Memory of its own and not an array, because walking a map looks at it for every value, where an array in a class
/// costs two reference counts each time. Whoever has the outline deallocates it.
struct Outline {
    struct Container {
        /// Behind the container's last item. While it is being scanned: the items its parent still misses.
        var end: Int
        /// The index of the first container behind this one. While it is being scanned: the index of its parent.
        var next: Int
    }

    private var containers: UnsafeMutablePointer<Container>?
    private var capacity = 0
    private(set) var count = 0

    subscript(index: Int) -> Container {
        @inline(__always)
        get {
            guard let containers = self.containers, index >= 0, index < self.count else {
                preconditionFailure("the outline has no container \(index)")
            }
            return containers[index]
        }
        @inline(__always)
        set {
            guard let containers = self.containers, index >= 0, index < self.count else {
                preconditionFailure("the outline has no container \(index)")
            }
            containers[index] = newValue
        }
    }

    mutating func append(_ container: Container) {
        if self.count == self.capacity {
            self.capacity = max(4, self.capacity * 2)
            let larger = UnsafeMutablePointer<Container>.allocate(capacity: self.capacity)
            if let containers = self.containers {
                larger.moveInitialize(from: containers, count: self.count)
                containers.deallocate()
            }
            self.containers = larger
        }
        guard let containers = self.containers else { return }
        (containers + self.count).initialize(to: container)
        self.count += 1
    }

    func deallocate() {
        self.containers?.deallocate()
    }

    /// The position behind the value at a position.
    @inline(__always)
    func step(over position: Position, in bytes: UnsafeRawBufferPointer) throws(Flaw) -> Position {
        let head = try Head(bytes, at: position.offset)
        return try self.step(over: head, at: position)
    }

    @inline(__always)
    func step(over head: Head, at position: Position) throws(Flaw) -> Position {
        guard head.kind.isContainer else { return Position(offset: head.end, container: position.container) }
        let container = self[position.container]
        return Position(offset: container.end, container: container.next)
    }
}

/// Checks the structure of a value without recursion and without trusting any announced size.
struct StructureScan {
    private(set) var outline = Outline()
    private let bytes: UnsafeRawBufferPointer
    private let maximumDepth: Int
    private var offset: Int
    private var open = -1
    private var depth = 0
    /// Items still missing in the innermost open container.
    private var missing = 1
    /// Items still missing in all the others.
    private var owed = 0

    private init(_ bytes: UnsafeRawBufferPointer, at offset: Int, maximumDepth: Int) {
        self.bytes = bytes
        self.offset = offset
        self.maximumDepth = maximumDepth
    }

    /// Scans one value and moves the offset behind it.
    /// - Throws: `DecodingError.dataCorrupted` whose coding path leads to the container that the bytes go wrong in.
    static func outline(
        _ bytes: UnsafeRawBufferPointer,
        at offset: inout Int,
        maximumDepth: Int
    ) throws -> Outline {
        var scan = StructureScan(bytes, at: offset, maximumDepth: maximumDepth)
        do {
            try scan.run()
        } catch {
            defer { scan.outline.deallocate() }
            throw error.error(expected: Any.self, path: scan.pathOfFailure(from: offset))
        }
        offset = scan.offset
        return scan.outline
    }

    /// Checks one value and moves the offset behind it.
    static func skip(_ bytes: UnsafeRawBufferPointer, at offset: inout Int, maximumDepth: Int) throws {
        let head: Head
        do {
            head = try Head(bytes, at: offset)
        } catch {
            throw error.error(expected: Any.self, path: [])
        }
        if head.kind.isContainer {
            try self.outline(bytes, at: &offset, maximumDepth: maximumDepth).deallocate()
        } else {
            offset = head.end
        }
    }

    private mutating func run() throws(Flaw) {
        while true {
            let head = try Head(self.bytes, at: self.offset)
            if head.kind.isContainer {
                try self.enter(head)
            } else {
                self.missing -= 1
                self.offset = head.end
            }
            while self.missing == 0 {
                guard self.open >= 0 else { return }
                self.leave()
            }
        }
    }

    private mutating func enter(_ head: Head) throws(Flaw) {
        guard self.depth < self.maximumDepth else { throw .nestedTooDeeply(limit: self.maximumDepth) }
        let items = Int(head.bits) * (head.kind == .map ? 2 : 1)
        // Each item takes a byte at least, and so do those that the containers around this one still miss.
        let rest = self.missing - 1
        guard items <= self.bytes.count - head.end - self.owed - rest else {
            throw .announcedTooMuch
        }
        self.outline.append(.init(end: rest, next: self.open))
        self.open = self.outline.count - 1
        self.depth += 1
        self.owed += rest
        self.missing = items
        self.offset = head.end
    }

    /// The keys and indices that lead to the item the scan stopped at.
    private func pathOfFailure(from start: Int) -> [any CodingKey] {
        var ancestors: [(container: Int, missing: Int)] = []
        var container = self.open
        // The innermost container's failing item is still among the missing; an outer one's is its open child.
        var missing = self.missing
        while container >= 0 {
            ancestors.append((container, missing))
            missing = self.outline[container].end + 1
            container = self.outline[container].next
        }
        var path: [any CodingKey] = []
        var offset = start
        for (container, missing) in ancestors.reversed() {
            guard let head = try? Head(self.bytes, at: offset) else { return path }
            let items = Int(head.bits) * (head.kind == .map ? 2 : 1)
            var position = Position(offset: head.end, container: container + 1)
            var key: PathIndex?
            for item in 0..<(items - missing) {
                if head.kind == .map, item.isMultiple(of: 2) {
                    key = (try? Head(self.bytes, at: position.offset)).map { PathIndex(describing: $0, in: self.bytes) }
                }
                guard let next = try? self.outline.step(over: position, in: self.bytes) else { return path }
                position = next
            }
            let index = items - missing
            if head.kind == .array {
                path.append(PathIndex(index))
            } else if !index.isMultiple(of: 2), let key {
                path.append(key)
            }
            offset = position.offset
        }
        return path
    }

    private mutating func leave() {
        let container = self.outline[self.open]
        self.outline[self.open] = .init(end: self.offset, next: self.outline.count)
        self.open = container.next
        self.missing = container.end
        self.owed -= container.end
        self.depth -= 1
    }
}
