import Distributed
import MeshCore

/// A handle that the broker gives in answer to a call, and has counted for the calling process already.
///
/// The grant arrives with the answer, whether or not anybody still reads that: what nobody takes out of it is given
/// back. MessagePack: as the fields; the answer's envelope names the actor under the number 0.
package struct GrantedHandle: Sendable {
    package let fields: HandleFields
    /// Nil where the broker lives in the same process and no message was needed.
    let lease: HandleLease?

    /// A handle for the process that calls. Fields that are weak grant nothing.
    package init(_ fields: HandleFields) {
        self.fields = fields
        self.lease = nil
    }
}

extension GrantedHandle: Codable {
    package init(from decoder: any Decoder) throws {
        self.fields = try HandleFields(from: decoder)
        let mesh = decoder.userInfo[.actorSystemKey] as? Mesh
        self.lease = self.fields.isCounted ? mesh?.lease(for: self.fields.id) : nil
    }

    package func encode(to encoder: any Encoder) throws {
        try self.fields.encode(to: encoder)
        if self.fields.isCounted { encoder.handleSink?.noteGranted(self.fields.id) }
    }
}
