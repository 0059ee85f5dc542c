import FoundationEssentials
import Logging
import MeshCore
import MeshRuntime

/// Called by libFuzzer with each input: messages that reach a process from its peers, as a socket delivers them.
///
/// The first byte of each message says how it begins: with the bytes of the input as they are, or with a valid header
/// whose numbers are small, so that what lies behind it is reached. Whatever comes, it is dropped or understood; the
/// process goes on, and has room for no more peers than it may.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzReceive(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = UnsafeBufferPointer(start: start, count: count)[...]
    let mesh = Mesh(
        transport: DeafTransport(), address: Peers.address(of: Peers.own),
        logger: Logger(label: "fuzz", factory: Silence.init))
    while let message = nextMessage(&input) { mesh.receive(message) }
    mesh.stop(reason: "the input has ended")
    mesh.close()
    return 0
}

/// A message: how it begins, three numbers of the header, how long it is, and what lies behind the header.
private func nextMessage(_ input: inout Slice<UnsafeBufferPointer<UInt8>>) -> InboundMessage? {
    func next() -> UInt8? { input.popFirst() }
    guard let kind = next(), let from = next(), let epoch = next(), let sequence = next(), let size = next() else {
        return nil
    }
    let body = Array(input.prefix(Int(size) * 4))
    input = input.dropFirst(body.count)
    let buffer = WireBuffer(capacity: 512)
    if kind & 1 == 0 {
        BatchHeader(
            from: Peers.peer(from), to: kind & 2 == 0 ? Peers.own : .anyone, epoch: UInt64(epoch),
            sequence: UInt64(sequence), acknowledgedEpoch: UInt64(epoch & 15), acknowledged: UInt64(sequence & 15)
        ).write(to: buffer)
        if kind & 4 == 0 { buffer.writeHello(Peers.address(of: Peers.peer(from))) }
    }
    body.withUnsafeBytes { buffer.append($0) }
    let attachments = (0..<Int(kind >> 6)).map { Data(repeating: kind, count: $0 * 100) }
    let key: KeyIdentity? = kind & 8 == 0 ? nil : kind & 16 == 0 ? .member : KeyIdentity(.observer, 7)
    return InboundMessage(head: buffer.bytes, attachments: attachments, owner: buffer, key: key)
}

private enum Peers {
    static let own = PeerID(42)

    /// Members, and an observer.
    static func peer(_ number: UInt8) -> PeerID {
        let tag = number & 0x80 == 0 ? 0 : KeyIdentity(.observer, 7)?.tag ?? 0
        return PeerID(tag << 52 | UInt64(number))
    }

    static func address(of peer: PeerID) -> PeerAddress {
        PeerAddress(
            peer: peer, host: HostID("host-\(peer.number & 3)"), processID: 1, startTime: 0,
            endpoints: ["memory://\(peer)"])
    }
}

/// Nothing goes out.
private final class DeafTransport: MeshTransport, Sendable {
    let endpoints = ["memory://42"]
    func receive(waiting: Bool) -> InboundMessage? { nil }
    func connect(to endpoint: String, watching: Bool) -> any TransportChannel { DeafChannel() }
    func interrupt() {}
    func close() {}
}

private final class DeafChannel: TransportChannel, Sendable {
    func send(_ message: OutboundMessage) -> Bool { true }
    func close() {}
}

private struct Silence: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .critical

    init(_ label: String) {}

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {}
}
