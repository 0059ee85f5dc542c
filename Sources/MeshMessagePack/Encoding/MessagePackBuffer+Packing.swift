internal import CMsgpack
internal import FoundationEssentials

/// What libmsgpack calls with each piece it has formed.
private let appendPiece: msgpack_packer_write = { target, bytes, count in
    guard let target, let bytes else { return count == 0 ? 0 : -1 }
    Unmanaged<MessagePackBuffer>.fromOpaque(target)._withUnsafeGuaranteedRef { buffer in
        buffer.append(UnsafeRawPointer(bytes), count: count)
    }
    return 0
}

/// Single values in their shortest form, formed by libmsgpack. Its functions are inlined C, and cannot fail because the
/// callback cannot.
extension MessagePackBuffer {
    @inline(__always)
    private func withPacker(_ body: (UnsafeMutablePointer<msgpack_packer>) -> Int32) {
        var packer = msgpack_packer(data: Unmanaged.passUnretained(self).toOpaque(), callback: appendPiece)
        _ = body(&packer)
    }

    func packNil() { self.withPacker { msgpack_pack_nil($0) } }

    func pack(_ value: Bool) { self.withPacker { value ? msgpack_pack_true($0) : msgpack_pack_false($0) } }

    func pack(_ value: Int64) { self.withPacker { msgpack_pack_int64($0, value) } }

    func pack(_ value: UInt64) { self.withPacker { msgpack_pack_uint64($0, value) } }

    func pack(_ value: Float) { self.withPacker { msgpack_pack_float($0, value) } }

    func pack(_ value: Double) { self.withPacker { msgpack_pack_double($0, value) } }

    func packArrayHeader(_ count: Int) { self.withPacker { msgpack_pack_array($0, count) } }

    func packMapHeader(_ count: Int) { self.withPacker { msgpack_pack_map($0, count) } }

    func packTimestamp(seconds: Int64, nanoseconds: UInt32) {
        var timestamp = msgpack_timestamp(tv_sec: seconds, tv_nsec: nanoseconds)
        self.withPacker { msgpack_pack_timestamp($0, &timestamp) }
    }

    /// Returns `false`, and writes nothing, when the string is longer than the format can say.
    func pack(_ value: String) -> Bool {
        var value = value
        return value.withUTF8 { utf8 in
            guard utf8.count <= Int(UInt32.max) else { return false }
            self.withPacker { msgpack_pack_str($0, utf8.count) }
            self.append(UnsafeRawBufferPointer(utf8))
            return true
        }
    }

    /// Returns `false`, and writes nothing, when there are more bytes than the format can say.
    func packBinary(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= Int(UInt32.max) else { return false }
        self.withPacker { msgpack_pack_bin($0, bytes.count) }
        self.append(bytes)
        return true
    }

    /// Returns `false`, and writes nothing, when there are more bytes than the format can say.
    func packExtension(type: Int8, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= Int(UInt32.max) else { return false }
        self.withPacker { msgpack_pack_ext($0, bytes.count, type) }
        self.append(bytes)
        return true
    }
}
