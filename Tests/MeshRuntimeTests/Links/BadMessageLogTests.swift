import Logging
import MeshCore
import Synchronization
import Testing

@testable import MeshRuntime

@Suite struct BadMessageLogTests {
    private final class Lines: Sendable {
        let count = Mutex(0)
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) { self.lines.count.withLock { $0 += 1 } }
    }

    @Test("one line for each peer, and few for all, whatever they call themselves")
    func lines() {
        let lines = Lines()
        let log = BadMessageLog(logger: Logger(label: "test") { _ in Handler(lines: lines) })
        let peer = PeerID.random()
        for _ in 0..<10 { log.note(WireError("nonsense"), from: peer) }
        #expect(lines.count.withLock { $0 } == 1)
        for _ in 0..<1000 { log.note(WireError("nonsense"), from: .random()) }
        #expect(lines.count.withLock { $0 } == 20)
        #expect(log.count == 1010)
    }
}
