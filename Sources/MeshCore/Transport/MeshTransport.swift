package import FoundationEssentials

/// Carries frames between processes. It knows nothing of calls, order or acknowledgements: what it accepts arrives
/// whole or not at all, usually in order; the links above it make that exact.
package protocol MeshTransport: AnyObject, Sendable {
    /// Where other processes reach this one, those for the same host first.
    var endpoints: [String] { get }

    /// The next message, or nil when there is none and `waiting` is false, or after `interrupt` or `close`.
    ///
    /// Only one thread at a time may call it; they may take turns.
    func receive(waiting: Bool) -> InboundMessage?

    /// Opens a way to another process. The connection is made, and made again after a break, in the background.
    ///
    /// - Throws: `MeshError` with `invalidArgument` for an endpoint that this transport cannot use.
    func connect(to endpoint: String) throws(MeshError) -> any TransportChannel

    /// Makes a waiting `receive` return nil.
    func interrupt()

    /// Frees everything; `receive` returns nil from then on.
    func close()
}

/// A way to one other process.
package protocol TransportChannel: AnyObject, Sendable {
    /// Takes a message, or returns false when its queue is full. Callers take turns.
    func send(_ message: OutboundMessage) -> Bool

    /// Drops what has not been sent and frees the way.
    func close()
}

/// A message on its way out: a frame of headers and small values, and large values in frames of their own.
package struct OutboundMessage: Sendable {
    package var head: WireBuffer
    package var attachments: [Data]

    package init(head: WireBuffer, attachments: [Data] = []) {
        self.head = head
        self.attachments = attachments
    }

    package var byteCount: Int { self.attachments.reduce(self.head.count) { $0 + $1.count } }
}

/// A message that arrived. It may be copied freely; the memory behind it lives as long as a copy does.
///
/// `@unchecked Sendable`: nothing in it changes after it was made, and `owner` keeps the bytes.
package struct InboundMessage: @unchecked Sendable {
    package let head: UnsafeRawBufferPointer
    package let attachments: [Data]
    private let owner: AnyObject

    package init(head: UnsafeRawBufferPointer, attachments: [Data], owner: AnyObject) {
        self.head = head
        self.attachments = attachments
        self.owner = owner
    }
}
