import ActorMesh
import Glibc

/// A task without state: it posts a few messages that say where it runs.
struct Publish: RemoteTask {
    var messages: MessageActor
    var worker: Int
    var round: Int
    /// How long to wait between two messages.
    var pause: Duration

    static let count = 5

    func run(on mesh: Mesh) async throws -> Done {
        let place = hostName()
        for i in 0..<Self.count {
            if i > 0 { try await Task.sleep(for: self.pause) }
            try await self.messages.add(
                "Message \(self.round * Self.count + i) from worker \(self.worker) on \(place).")
        }
        return Done()
    }
}

/// What this machine or container calls itself, which is also the name of its node.
func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "?" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
