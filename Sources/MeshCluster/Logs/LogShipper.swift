import CMeshPlatform
import MeshCore
package import MeshRuntime

/// Brings what a node has to the collector, again and again until the collector says that it has it.
package enum LogShipper {
    /// No more is sent at once.
    private static let most = 256 << 10

    /// Runs until the mesh stops.
    package static func start(_ logs: NodeLogs, on mesh: Mesh) {
        mesh.detach { await self.run(logs, on: mesh) }
    }

    private static func run(_ logs: NodeLogs, on mesh: Mesh) async {
        var pause = Duration.milliseconds(20)
        while !mesh.isStopped {
            do {
                guard let broker = try mesh.membership.brokerAddress else {
                    throw MeshError(.brokerUnavailable, "The broker is away.")
                }
                try await self.ship(logs, to: broker, on: mesh) { pause = .milliseconds(20) }
            } catch {
                // Nothing is logged of it: that would be more to send.
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(1))
            }
        }
    }

    /// Sends to one collector, until it is another's turn.
    private static func ship(
        _ logs: NodeLogs, to broker: PeerAddress, on mesh: Mesh, _ hasSucceeded: () -> Void
    ) async throws {
        let collector = try mesh.service(LogCollector.self, WellKnown.logs, at: broker)
        let spool = logs.spoolID
        let patience = mesh.settings.leaseTime
        var receipt = try await mesh.withDeadline(patience) { try await collector.begin(spool) }
        logs.retract(to: receipt.last)
        logs.acknowledge(receipt.last)
        while !mesh.isStopped, try mesh.membership.brokerAddress?.peer == broker.peer {
            let next = logs.batches(after: receipt.last, limit: Self.most)
            guard next.last > receipt.last else {
                await self.waitForMore(than: receipt.last, logs, on: mesh)
                continue
            }
            let answer = try await mesh.withDeadline(patience) {
                try await collector.take(next.batches, of: spool)
            }
            guard answer.store == receipt.store else { return }
            receipt = answer
            // What the spool itself cannot read any more is passed over.
            receipt.last = max(answer.last, next.batches.isEmpty ? next.last : answer.last)
            logs.acknowledge(receipt.last)
            hasSucceeded()
        }
    }

    /// Waits until there is something to send, or until it is time to see whether the broker is another.
    private static func waitForMore(than number: UInt64, _ logs: NodeLogs, on mesh: Mesh) async {
        await waitForCallback(atMost: 200_000_000, on: mesh) { logs.whenMore(than: number, $0) }
    }
}
