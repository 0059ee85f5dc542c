import FoundationEssentials
import MeshMessagePack

/// What the typed half of the fuzzer decodes: every kind of container and of value.
private struct Record: Codable, Equatable {
    enum Shape: Codable, Equatable {
        case empty
        case circle(radius: Float)
        indirect case pair(Shape, Shape)
    }

    var integer: Int32?
    var unsigned: UInt64?
    var number: Double?
    var text: String?
    var bytes: [UInt8]?
    var data: Data?
    var date: Date?
    var numbers: [Double]?
    var words: [Int16]?
    var names: [String: Int]?
    var table: [UInt8: [String]]?
    var shape: Shape?
    var children: [Record]?
}

/// Called by libFuzzer with each input.
///
/// Bytes that decode must encode, and what they encode to must decode to the same value and encode to the same bytes
/// size; bytes that do not decode must give a `DecodingError` and nothing else.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMessagePack(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let data = Data(UnsafeBufferPointer(start: start, count: count))
    check(MessagePackValue.self, data)
    check(Record.self, data)
    check([String: [Date?]].self, data)
    check([Float].self, data)
    return 0
}

private func check<T: Codable & Equatable>(_ type: T.Type, _ data: Data) {
    let value: T
    do {
        value = try MessagePackDecoder().decode(type, from: data)
    } catch is DecodingError {
        return
    } catch {
        fatalError("decoding threw \(error), which is not a DecodingError")
    }
    do {
        let bytes = try MessagePackEncoder().encode(value)
        let again = try MessagePackDecoder().decode(type, from: bytes)
        // Once through the encoder a value is in its canonical form, and stays what it is. (Before that, a number that
        // is not a number may differ from itself, and a date may lose what is below a nanosecond.)
        let bytesAgain = try MessagePackEncoder().encode(again)
        guard bytesAgain.count == bytes.count else { fatalError("\(type) did not come back as it was: \(Array(data))") }
    } catch {
        fatalError("\(type) was decoded but did not survive encoding: \(error) for \(Array(data))")
    }
}
