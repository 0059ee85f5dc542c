import FoundationEssentials
import Glibc
package import MeshCore
import MeshRuntime
import Synchronization

/// What a program logs that is no worker: on its way to the collector from this process's memory, which is all that it
/// has. Where its limit is reached, the oldest make room.
package final class ProgramLog: LogSink {
    package var isShown: Bool { false }
    private struct State {
        var sequence: UInt64 = 0
    }

    private let logs: NodeLogs
    private let source = UniqueID.make()
    private let state = Mutex(State())

    package init(_ logs: NodeLogs) { self.logs = logs }

    package func write(_ fill: (WireBuffer) -> Void) {
        let buffer = WireBuffer(capacity: 512)
        fill(buffer)
        // The name of a task is for a worker's node.
        guard LogContent.isRecord(buffer.bytes) else { return }
        self.state.withLock { state in
            state.sequence += 1
            self.logs.append(
                LogBatch(
                    number: 0, source: self.source, node: self.logs.node, processID: getpid(),
                    firstSequence: state.sequence, count: 1, contents: Data(buffer.bytes)))
        }
    }
}
