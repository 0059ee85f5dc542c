public import Distributed
import FoundationEssentials
import MeshCore
import MeshMessagePack

/// A call that failed before its method ran.
struct CallFailure: Error {
    var error: MeshError
}

/// Gives a method its arguments, one after the other.
///
/// `@unchecked Sendable`: one call has it, in one task; what it refers to does not change.
public struct CallDecoder: DistributedTargetInvocationDecoder, @unchecked Sendable {
    /// Arguments and results are `Codable`.
    public typealias SerializationRequirement = any Codable

    private let call: InboundCall
    private let decoder: MessagePackDecoder
    private var offset: Int
    private let count: Int
    private var index = 0

    init(call: InboundCall, mesh: Mesh) throws {
        self.call = call
        self.decoder = mesh.decoder
        var reader = WireReader(call.payload.bytes)
        do {
            self.count = try reader.readArrayHeader()
        } catch {
            throw Self.failure("The arguments of \(call.target.label) are damaged.", error)
        }
        self.offset = reader.offset
    }

    /// Refuses a call whose number of arguments is not the method's.
    func expect(_ parameters: Int) throws {
        guard parameters != self.count else { return }
        throw Self.failure(
            "\(self.call.target.label) takes \(parameters) arguments, but \(self.count) came; "
                + "the caller was built with another version of it.", nil)
    }

    /// The types that stand for a generic method's type parameters.
    public mutating func decodeGenericSubstitutions() throws -> [Any.Type] {
        try (self.call.context?.genericSubstitutions ?? []).map { name in
            // Whatever else a name could lead to is no argument of a call.
            guard let type = _typeByName(name), type is any (Decodable & Encodable).Type else {
                let message =
                    "\(self.call.target.label) was called with the type \(name), which this program lacks, or which is "
                    + "not Codable."
                throw CallFailure(error: MeshError(.typeNotFound, message))
            }
            return type
        }
    }

    /// The next argument. Throws when its bytes do not fit its type, which means that the caller has another version.
    public mutating func decodeNextArgument<Argument: Codable>() throws -> Argument {
        self.index += 1
        guard self.index <= self.count else {
            throw Self.failure(
                "\(self.call.target.label) takes more than the \(self.count) arguments that came; "
                    + "the caller was built with another version of it.", nil)
        }
        do {
            return try self.decoder.decode(
                Argument.self, from: self.call.payload.bytes, offset: &self.offset,
                attachments: self.call.payload.attachments)
        } catch {
            throw Self.failure(
                "Argument \(self.index) of \(self.call.target.label) is no \(Argument.self); "
                    + "the caller was built with another version of it.", error)
        }
    }

    /// Errors carry their own type.
    public mutating func decodeErrorType() throws -> Any.Type? { nil }

    /// The method knows what it returns.
    public mutating func decodeReturnType() throws -> Any.Type? { nil }

    private static func failure(_ message: String, _ cause: (any Error)?) -> CallFailure {
        CallFailure(error: MeshError(.decodingFailed, message, cause: cause.map { String(describing: $0) }))
    }
}
