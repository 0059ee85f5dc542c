import Distributed
import FoundationEssentials
import MeshCore
import MeshMessagePack

/// A stream of another process.
struct RemoteStream: Sendable {
    let id: UniqueID
    let address: PeerAddress
    let mesh: Mesh

    func pull<Element: Codable & Sendable>(
        _ type: Element.Type, reader: UInt64, from: UInt64, credit: Int
    ) async throws -> StreamBatch<Element> {
        let request = StreamRequest(stream: self.id, reader: reader, from: from, credit: credit)
        // The question is no part of the call that reads the stream, except that it ends with it.
        let scope = MeshScope(call: nil, deadline: MeshScope.current?.deadline ?? 0, mode: nil)
        let answer: EncodedBatch
        do {
            answer = try await MeshScope.$current.withValue(scope) { try await self.ask(request) }
        } catch let error as MeshError where error.code == .actorDied && self.mesh.hasLost(self.address.peer) {
            throw MeshError(
                .actorDied,
                "The stream broke off at element \(from): process \(self.address.processID), which wrote it, is gone.",
                cause: error)
        }
        return try self.decode(answer)
    }

    private func decode<Element: Codable & Sendable>(_ answer: EncodedBatch) throws -> StreamBatch<Element> {
        var elements: [Element] = []
        defer { withExtendedLifetime(answer) {} }
        try answer.elements.data.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                do {
                    elements.append(try self.mesh.decoder.decode(Element.self, from: bytes, offset: &offset))
                } catch {
                    throw MeshError(
                        .decodingFailed,
                        "Element \(answer.first &+ UInt64(elements.count)) of the stream is no \(Element.self); "
                            + "its writer was built with another version of it.", cause: error)
                }
            }
        }
        guard elements.count == answer.count else {
            throw MeshError(.decodingFailed, "A stream announced \(answer.count) elements and sent \(elements.count).")
        }
        let end = answer.isLast ? StreamEnd(error: answer.error.map { self.mesh.decodeError($0) }, reason: nil) : nil
        return StreamBatch(first: answer.first, elements: elements, end: end)
    }

    /// Asks once more when the way broke: the writer may be there, and has kept what was not taken.
    private func ask(_ request: StreamRequest) async throws -> EncodedBatch {
        do {
            return try await self.host().pull(request)
        } catch let error as MeshError where error.code == .actorUnavailable {
            return try await self.host().pull(request)
        }
    }

    private func host() throws -> StreamHost {
        try self.mesh.service(StreamHost.self, WellKnown.streams, at: self.address)
    }

    /// Sends something that needs no answer. That the writer is gone is seen by the next question.
    func tell(_ message: @escaping @Sendable (StreamHost) async throws -> Void) {
        guard !self.mesh.isStopped else { return }
        let scope = MeshScope(call: nil, deadline: 0, mode: .tell(policy: .wait))
        Task.immediate(executorPreference: self.mesh.executor) {
            try? await MeshScope.$current.withValue(scope) { try await message(try self.host()) }
        }
    }
}
