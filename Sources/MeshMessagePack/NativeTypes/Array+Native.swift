internal import FoundationEssentials

extension Array: NativelyEncodable where Element: Encodable {
    static func write(_ value: UnsafeRawPointer, to place: EncodingPlace) throws {
        let array = self.load(value)
        let traits = TypeTable.traits(of: Element.self)
        if let code = traits.pointee.elementCode {
            if code == .uint8 {
                return try array.withUnsafeBytes { bytes in
                    try place.writeBinary(bytes) { array.asData(bytes) }
                }
            }
            if array.count >= MessagePackFormat.numericArrayThreshold {
                return try array.writeRaw(code, to: place)
            }
        }
        guard array.count <= Int(UInt32.max) else { throw place.tooLarge(array.count) }
        place.buffer.packArrayHeader(array.count)
        if array.isEmpty { return }
        if traits.pointee.elementCode != nil, let number = traits.pointee.encodes {
            // A number cannot fail, so it needs no path of its own.
            return try array.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                for index in array.indices {
                    try number.write(base + index * MemoryLayout<Element>.stride, to: place)
                }
            }
        }
        let node = EncodingNode(place: place)
        if let native = traits.pointee.encodes {
            var element = node.place(.index(0))
            try array.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                for index in array.indices {
                    element.key = .index(index)
                    try native.write(base + index * MemoryLayout<Element>.stride, to: element)
                }
            }
        } else {
            for index in array.indices {
                try node.place(.index(index)).writeThroughContainers(array[index])
            }
        }
    }

    private func writeRaw(_ code: NumericElementCode, to place: EncodingPlace) throws {
        try self.withUnsafeBytes { bytes in
            if try place.attach(code: code, byteCount: bytes.count, { self.asData(bytes) }) { return }
            guard place.buffer.packExtension(type: Int8(bitPattern: code.rawValue), bytes) else {
                throw place.tooLarge(self.count)
            }
        }
    }

    /// The elements' bytes as data that keeps the array alive instead of copying it. An array's elements stay where
    /// they are as long as something holds the array: a change to another copy of it makes a new block.
    private func asData(_ bytes: UnsafeRawBufferPointer) -> Data {
        guard let base = bytes.baseAddress else { return Data() }
        return Data(
            bytesNoCopy: UnsafeMutableRawPointer(mutating: base),
            count: bytes.count,
            deallocator: .custom { [self] _, _ in withExtendedLifetime(self) {} }
        )
    }
}

extension Array: NativelyDecodable where Element: Decodable {
    static func read(into result: UnsafeMutableRawPointer, from place: DecodingPlace) throws {
        let head = try place.scalar(Self.self) { head throws(Flaw) in head }
        if head.kind == .array {
            return self.store(try place.readElements(of: Element.self, head), result)
        }
        guard let code = TypeTable.traits(of: Element.self).pointee.elementCode else {
            throw Flaw.mismatch(found: head.kind).error(expected: Self.self, path: place.codingPath)
        }
        let type = head.extensionType
        switch head.kind {
        case .binary where code == .uint8, .string where code == .uint8:
            self.store(try self.copy(place.session.body(of: head), place), result)
        case .ext where type == Int8(bitPattern: code.rawValue):
            self.store(try self.copy(place.session.body(of: head), place), result)
        case .ext where type == MessagePackFormat.attachmentType:
            let data = try place.attachment(head, code: code == .uint8 ? nil : code, expected: Self.self)
            self.store(try data.withUnsafeBytes { try self.copy($0, place) }, result)
        default:
            throw Flaw.mismatch(found: head.kind).error(expected: Self.self, path: place.codingPath)
        }
    }

    /// Elements copied from their raw bytes; only for the fixed-width numbers, whose every bit pattern is a value.
    private static func copy(_ bytes: UnsafeRawBufferPointer, _ place: DecodingPlace) throws -> Self {
        let (count, rest) = bytes.count.quotientAndRemainder(dividingBy: MemoryLayout<Element>.stride)
        guard rest == 0 else {
            throw place.corrupted("\(bytes.count) bytes are not a whole number of \(Element.self).")
        }
        return Array(unsafeUninitializedCapacity: count) { elements, initialized in
            UnsafeMutableRawBufferPointer(elements).copyMemory(from: bytes)
            initialized = count
        }
    }
}

extension DecodingPlace {
    /// The elements of an ordinary array.
    func readElements<Element: Decodable>(of type: Element.Type, _ head: Head) throws -> [Element] {
        let count = Int(head.bits)
        guard count > 0 else { return [] }
        let first = Position(offset: head.body, container: self.position.container + 1)
        var place = ValueDecoder(place: self).place(first, .index(0))
        // The count is bounded by the input, but room for it is only worth having where it is no more than a small
        // multiple of that.
        let stride = MemoryLayout<Element>.stride
        guard stride <= 64, let native = TypeTable.traits(of: type).pointee.decodes else {
            var elements: [Element] = []
            for index in 0..<count {
                place.key = .index(index)
                elements.append(try place.read(type))
                try place.stepOver(type)
            }
            return elements
        }
        return try Array(unsafeUninitializedCapacity: count) { elements, initialized in
            let memory = UnsafeMutableRawBufferPointer(elements)
            guard let base = memory.baseAddress else { return }
            for index in 0..<count {
                place.key = .index(index)
                try native.read(into: base + index * stride, from: place)
                initialized += 1
                try place.stepOver(type)
            }
        }
    }

    /// Moves on to the next value.
    @inline(__always)
    mutating func stepOver(_ type: Any.Type) throws {
        do throws(Flaw) {
            self.position = try self.session.step(over: self.position)
        } catch {
            throw error.error(expected: type, path: self.codingPath)
        }
    }
}
