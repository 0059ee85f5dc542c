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
    /// - Parameter watching: whether the channel has to know when the other end refuses it.
    /// - Throws: `MeshError` with `invalidArgument` for an endpoint that this transport cannot use.
    func connect(to endpoint: String, watching: Bool) throws(MeshError) -> any TransportChannel

    /// From now on nobody gets in who has one of these keys. Connections that are there stay, and what comes by them
    /// still says by which key.
    func revoke(_ keys: Set<KeyIdentity>)

    /// Whom the transport has kept out.
    var refusals: TransportRefusals { get }

    /// Makes a waiting `receive` return nil.
    func interrupt()

    /// Frees everything; `receive` returns nil from then on.
    func close()
}

/// Whom a transport has kept out since it was made.
package struct TransportRefusals: Hashable, Sendable {
    /// Connections that were cut because too many showed no key.
    package var connectionsCut: UInt64
    /// Connections that showed a key which is none of this mesh, or was revoked.
    package var keysRefused: UInt64
    /// From where those came that were kept out lately, as far as that is known; the newest last.
    package var hosts: [String] = []

    package init(connectionsCut: UInt64 = 0, keysRefused: UInt64 = 0) {
        self.connectionsCut = connectionsCut
        self.keysRefused = keysRefused
    }
}

extension MeshTransport {
    package func connect(to endpoint: String) throws(MeshError) -> any TransportChannel {
        try self.connect(to: endpoint, watching: false)
    }
    package func revoke(_ keys: Set<KeyIdentity>) {}
    package var refusals: TransportRefusals { TransportRefusals() }
}

/// A way to one other process.
package protocol TransportChannel: AnyObject, Sendable {
    /// Takes a message, or returns false when its queue is full. Callers take turns.
    func send(_ message: OutboundMessage) -> Bool

    /// Whether the other end listens, but does not let this process in: they have different keys, or one has none.
    /// Known only for a channel that watches.
    var isRefused: Bool { get }

    /// Drops what has not been sent and frees the way.
    func close()
}

extension TransportChannel {
    package var isRefused: Bool { false }
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
    /// The key by which its sender got in; nil where none is needed: within a host, and in a mesh without a key.
    package let key: KeyIdentity?
    private let owner: AnyObject

    package init(
        head: UnsafeRawBufferPointer, attachments: [Data], owner: AnyObject, key: KeyIdentity? = nil
    ) {
        self.key = key
        self.head = head
        self.attachments = attachments
        self.owner = owner
    }
}
