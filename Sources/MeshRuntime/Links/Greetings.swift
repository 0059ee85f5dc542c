import CMeshPlatform
package import MeshCore
import Synchronization

/// Waits for the answers of processes of which only the address is known.
final class Greetings: Sendable {
    private let waiting = Mutex<[UInt64: UnsafeContinuation<PeerAddress?, Never>]>([:])

    func answer(_ number: UInt64, from address: PeerAddress) {
        self.waiting.withLock { $0.removeValue(forKey: number) }?.resume(returning: address)
    }

    func giveUp(_ number: UInt64) { self.waiting.withLock { $0.removeValue(forKey: number) }?.resume(returning: nil) }

    func wait(for number: UInt64, _ start: () -> Void) async -> PeerAddress? {
        await withUnsafeContinuation { continuation in
            self.waiting.withLock { $0[number] = continuation }
            start()
        }
    }
}

extension Mesh {
    /// Finds out which process listens at an address.
    ///
    /// - Returns: its full address, or nil when nobody answered within the time.
    /// - Throws: `invalidArgument` for an address that makes no sense.
    package func greet(_ endpoint: String, timeout: Duration) async throws(MeshError) -> PeerAddress? {
        let channel = try self.transport.connect(to: endpoint)
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
        return await self.greetings.wait(for: number) { _ = channel.send(OutboundMessage(head: buffer)) }
    }
}
