import Glibc
package import MeshRuntime

/// Why a node itself ended one of its workers.
package enum NodeKill: Hashable, Sendable {
    /// It was not needed any more, or was to end.
    case notNeeded
    /// It was not ready in time.
    case notReady
    /// It did not answer for the lease time.
    case unresponsive
}

extension ProcessEnd {
    /// Says how a process ended, from all that its node knows.
    ///
    /// - Parameters:
    ///   - waitStatus: what the system says, in the form of `waitpid`.
    ///   - kill: what the node itself did.
    ///   - lastOutput: its last lines.
    ///   - memoryKills: the processes that the system has ended for want of memory. This one is taken off if it was one.
    ///   - killsBefore: how many those were when it was started.
    package init(
        processID: Int32, waitStatus: Int32, kill: NodeKill?, lastOutput: [String], memoryKills: inout MemoryKills,
        killsBefore: UInt64?
    ) {
        let signal = waitStatus & 0x7f
        let isOutOfMemory =
            switch signal {
            case SIGKILL: kill == nil && memoryKills.claim(since: killsBefore)
            case SIGABRT: Self.saysMemoryWasRefused(lastOutput)
            default: false
            }
        self.init(
            processID: processID, signal: signal == 0 ? nil : signal,
            status: signal == 0 ? waitStatus >> 8 & 0xff : nil, lastOutput: lastOutput, isOutOfMemory: isOutOfMemory,
            isUnresponsive: signal == SIGKILL && kill == .unresponsive)
    }

    /// Whether a process that ended by SIGABRT says in its last lines that it was refused memory.
    ///
    /// The whole line has to be the one that the Swift runtime, the C++ library (of which libzmq's code is) or libzmq
    /// itself writes before it aborts. There are places where the Swift runtime does not look whether it got memory,
    /// such as when it makes a task: that is a crash by SIGSEGV like any other.
    package static func saysMemoryWasRefused(_ lines: [String]) -> Bool {
        lines.contains { line in
            if line.hasPrefix(Self.swiftRefusal.start) {
                let parts = line.dropFirst(Self.swiftRefusal.start.count).split(
                    separator: Self.swiftRefusal.middle, omittingEmptySubsequences: false)
                return parts.count == 2 && parts.allSatisfy { UInt64($0) != nil }
            }
            return line == "  what():  std::bad_alloc" || line == "FATAL ERROR: OUT OF MEMORY"
                || line.hasPrefix("FATAL ERROR: OUT OF MEMORY (") && line.hasSuffix(")")
        }
    }

    /// `Fatal error: failed to allocate 1048608 bytes of memory with alignment 8`
    private static let swiftRefusal = (
        start: "Fatal error: failed to allocate ", middle: " bytes of memory with alignment "
    )

    /// How it ended, in words, and its last line: `was ended by signal 11 (Segmentation fault); its last line of
    /// output: "Here we go"`.
    package var words: String { self.reason + self.lastWords }

    /// How it ended, in words: `was ended by signal 11 (Segmentation fault)`.
    package var reason: String {
        let end =
            if self.isUnresponsive {
                "was ended by its node because it did not answer"
            } else if let signal = self.signal {
                "was ended by signal \(signal) (\(String(cString: strsignal(signal))))"
            } else {
                "exited with status \(self.status ?? 0)"
            }
        return self.isOutOfMemory ? end + " for want of memory" : end
    }

    /// Its last line as the end of a sentence; empty when there is none.
    package var lastWords: String {
        // What the runtime says of a crash comes after what the program itself said.
        let own = self.lastOutput.prefix { !$0.hasPrefix(CrashReport.headline) }
        return (own.last ?? self.lastOutput.last).map { "; its last line of output: \"\($0)\"" } ?? ""
    }
}
