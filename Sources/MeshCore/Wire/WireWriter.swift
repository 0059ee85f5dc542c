/// The few MessagePack forms that the mesh's own headers use, written in their shortest form.
///
/// Headers are on the path of every call, so they are written straight into the frame; values of users go through the
/// `Codable` encoder of `MeshMessagePack`.
extension WireBuffer {
    package func writeNil() { self.append(0xc0) }

    package func writeArrayHeader(_ count: Int) {
        if count < 16 {
            self.append(0x90 | UInt8(count))
        } else {
            self.append(0xdc)
            self.append(bigEndian: UInt16(count))
        }
    }

    package func write(_ value: UInt64) {
        switch value {
        case 0..<0x80: self.append(UInt8(value))
        case 0x80...0xff:
            self.append(0xcc)
            self.append(UInt8(value))
        case 0x100...0xffff:
            self.append(0xcd)
            self.append(bigEndian: UInt16(value))
        case 0x1_0000...0xffff_ffff:
            self.append(0xce)
            self.append(bigEndian: UInt32(value))
        default:
            self.append(0xcf)
            self.append(bigEndian: value)
        }
    }

    package func write(_ value: Int) { self.write(UInt64(value)) }

    /// Always nine bytes, so that it can be patched.
    package func writeFixed(_ value: UInt64) {
        self.append(0xcf)
        self.append(bigEndian: value)
    }

    package func write(_ id: UniqueID) {
        self.append(0xc4)
        self.append(16)
        self.append(bigEndian: id.high)
        self.append(bigEndian: id.low)
    }

    package func write(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            switch utf8.count {
            case 0..<32: self.append(0xa0 | UInt8(utf8.count))
            case 32..<0x100:
                self.append(0xd9)
                self.append(UInt8(utf8.count))
            case 0x100..<0x1_0000:
                self.append(0xda)
                self.append(bigEndian: UInt16(utf8.count))
            default:
                self.append(0xdb)
                self.append(bigEndian: UInt32(utf8.count))
            }
            self.append(UnsafeRawBufferPointer(utf8))
        }
    }

    package func write(optional text: String?) {
        if let text { self.write(text) } else { self.writeNil() }
    }

    package func writeBinary(_ bytes: UnsafeRawBufferPointer) {
        switch bytes.count {
        case 0..<0x100:
            self.append(0xc4)
            self.append(UInt8(bytes.count))
        case 0x100..<0x1_0000:
            self.append(0xc5)
            self.append(bigEndian: UInt16(bytes.count))
        default:
            self.append(0xc6)
            self.append(bigEndian: UInt32(bytes.count))
        }
        self.append(bytes)
    }
}
