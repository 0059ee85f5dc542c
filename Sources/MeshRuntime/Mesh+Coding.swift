import FoundationEssentials
import MeshCore
import MeshMessagePack

/// Values and errors on their way through processes that need not know their types.
extension Mesh {
    package func encode<Value: Encodable>(_ value: Value) throws -> EncodedValue {
        let buffer = MessagePackBuffer()
        let notes = HandleNotes()
        try self.encoder.encode(value, into: buffer, attachments: notes)
        return EncodedValue(buffer.takeData(), leases: notes.leases)
    }

    package func decode<Value: Decodable>(_ type: Value.Type, from value: EncodedValue, what: String) throws -> Value {
        do {
            // The actors in it stay held until the handles that are read have taken them over.
            return try withExtendedLifetime(value) { try self.decoder.decode(Value.self, from: value.data) }
        } catch {
            throw MeshError(
                .decodingFailed, "\(what) cannot be read as \(type); the sender was built with another version.",
                cause: error)
        }
    }

    /// An error as it travels: as itself if it is `Codable`, else as a description. Nobody holds on to the actors whose
    /// handles are in an error while it travels; they count from when it is read.
    package func encodeError(_ error: any Error, method: String) -> EncodedError {
        let (typeName, value): (String?, any Encodable)
        switch error {
        case let error as EncodedError: return error
        case let error as MeshError: (typeName, value) = (nil, error)
        case let exit as ActorExit: (typeName, value) = (nil, MeshError(.actorDied, exit.message))
        case is CancellationError: (typeName, value) = (nil, MeshError(.cancelled, "\(method) was cancelled."))
        case let codable as any Error & Codable:
            let type = type(of: codable)
            typeName = _mangledTypeName(type) ?? String(reflecting: type)
            value = ThrownError(
                typeName: String(reflecting: type), reason: String(describing: codable), method: method,
                value: codable)
        default:
            let name = String(reflecting: type(of: error))
            typeName = name
            value = ThrownError(typeName: name, reason: String(describing: error), method: method, value: nil)
        }
        if let data = try? self.encoder.encode(AnyEncodable(value)), data.count <= self.settings.maximumPayload {
            return EncodedError(typeName: typeName, data: data)
        }
        // It cannot travel as itself; what it says can, if that is not the reason.
        let name = String(reflecting: type(of: error))
        let reason = String(String(describing: error).prefix(4096))
        let description = ThrownError(typeName: name, reason: reason, method: method, value: nil)
        return EncodedError(typeName: name, data: (try? self.encoder.encode(description)) ?? Data())
    }

    package func decodeError(_ error: EncodedError) -> any Error {
        do {
            guard let typeName = error.typeName else {
                return try self.decoder.decode(MeshError.self, from: error.data)
            }
            var decoder = self.decoder
            if let key = ReceivedError.typeNameKey { decoder.userInfo[key] = typeName }
            return try decoder.decode(ReceivedError.self, from: error.data).error
        } catch {
            return MeshError(.decodingFailed, "An error that came back cannot be read.", cause: error)
        }
    }
}

/// Encodes a value of any type as itself.
struct AnyEncodable: Encodable {
    private let value: any Encodable
    init(_ value: any Encodable) { self.value = value }
    func encode(to encoder: any Encoder) throws { try self.value.encode(to: encoder) }
}
