import CMeshPlatform
package import MeshCore
import Synchronization

/// Waits for the answers of processes of which only the address is known.
final class Greetings: Sendable {
    private struct State {
        var waiting: [UInt64: UnsafeContinuation<PeerAddress?, Never>] = [:]
        var hasEnded = false
    }

    private let state = Mutex(State())

    func answer(_ number: UInt64, from address: PeerAddress) {
        self.state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(returning: address)
    }

    func giveUp(_ number: UInt64) {
        self.state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(returning: nil)
    }

    func waits(for number: UInt64) -> Bool { self.state.withLock { $0.waiting[number] != nil } }

    /// Nobody will answer any more.
    func end() {
        let waiting = self.state.withLock { state in
            state.hasEnded = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume(returning: nil) }
    }

    func wait(for number: UInt64, _ start: () -> Void) async -> PeerAddress? {
        await withUnsafeContinuation { continuation in
            let hasEnded = self.state.withLock { state in
                if !state.hasEnded { state.waiting[number] = continuation }
                return state.hasEnded
            }
            if hasEnded { continuation.resume(returning: nil) } else { start() }
        }
    }
}

extension Mesh {
    /// Finds out which process listens at an address.
    ///
    /// - Returns: its full address, or nil when nobody answered within the time.
    /// - Throws: `invalidArgument` for an address that makes no sense; `unauthorized` when somebody listens there who
    ///   does not let this process in.
    package func greet(_ endpoint: String, timeout: Duration) async throws(MeshError) -> PeerAddress? {
        let channel = try self.transport.connect(to: endpoint, watching: true)
        defer { channel.close() }
        let number = UInt64.random(in: 1...UInt64.max)
        let header = BatchHeader(
            from: self.address.peer, to: .anyone, epoch: 0, sequence: 0, acknowledgedEpoch: 0, acknowledged: 0)
        let buffer = WireBuffer(capacity: 256)
        header.write(to: buffer)
        buffer.writeHello(self.address)
        buffer.writeGreet(number)
        let deadline = cmesh_monotonic_nanoseconds() + timeout.nanoseconds
        let token = self.schedule(at: deadline) { [greetings] in greetings.giveUp(number) }
        defer { self.timers.cancel(token) }
        let address = await self.greetings.wait(for: number) {
            _ = channel.send(OutboundMessage(head: buffer))
            self.giveUpWhenRefused(number, channel)
        }
        guard address == nil, channel.isRefused else { return address }
        throw MeshError(
            .unauthorized,
            "Somebody listens at \(endpoint), but does not let this process in: it has the key of another mesh, one of the "
                + "two has none, or it is no mesh at all. Name the file of that mesh's key in --key-file or MESH_KEY_FILE."
        )
    }

    private func giveUpWhenRefused(_ number: UInt64, _ channel: any TransportChannel) {
        guard self.greetings.waits(for: number) else { return }
        if channel.isRefused { return self.greetings.giveUp(number) }
        _ = self.schedule(at: cmesh_monotonic_nanoseconds() + 50_000_000) { [weak self] in
            self?.giveUpWhenRefused(number, channel)
        }
    }
}
