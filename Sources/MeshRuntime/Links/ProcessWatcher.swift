import CMeshPlatform
import Glibc
package import MeshCore
import Synchronization

/// Tells when a process of this host ends, at once and without asking it, through the kernel's process descriptors.
package final class ProcessWatcher: Sendable {
    package typealias Action = @Sendable () -> Void

    private struct State {
        var epoll: Int32 = -1
        var watched: [UInt64: (descriptor: Int32, owned: Bool, action: Action)] = [:]
        var nextToken: UInt64 = 1
        var isStopped = false
        /// Wakes the thread for the last time; it closes it.
        var stopDescriptor: Int32 = -1
    }

    private let state = Mutex(State())
    private static let stopToken: UInt64 = 0

    package init() {}

    /// Calls `action` once when the process has ended. Returns false when it has ended already.
    ///
    /// - Throws: `systemFailure` when this kernel cannot watch it; then only silence tells.
    package func watch(processID: Int32, startTime: UInt64, _ action: @escaping Action) throws(MeshError) -> Bool {
        let descriptor = cmesh_pidfd_open(processID)
        if descriptor < 0 {
            if errno == ESRCH { return false }
            throw MeshError(.systemFailure, "Process \(processID) cannot be watched.", cause: describeErrno())
        }
        guard startTime == 0 || ProcessStatus.startTime(of: processID) == startTime else {
            Glibc.close(descriptor)
            return false
        }
        try self.watch(descriptor: descriptor, owned: true, action)
        return true
    }

    /// Calls `action` once when the descriptor becomes readable or its other end closes.
    package func watch(descriptor: Int32, owned: Bool, _ action: @escaping Action) throws(MeshError) {
        try self.state.withLock { state throws(MeshError) in
            guard !state.isStopped else { return }
            if state.epoll < 0 { try self.begin(&state) }
            let token = state.nextToken
            state.nextToken += 1
            guard cmesh_epoll_add(state.epoll, descriptor, token) == 0 else {
                throw MeshError(.systemFailure, "Descriptor \(descriptor) cannot be watched.", cause: describeErrno())
            }
            state.watched[token] = (descriptor, owned, action)
        }
    }

    private func begin(_ state: inout State) throws(MeshError) {
        let epoll = cmesh_epoll_create()
        guard epoll >= 0 else {
            throw MeshError(.systemFailure, "No process can be watched.", cause: describeErrno())
        }
        state.epoll = epoll
        _ = startThread(named: "mesh-watch") { self.run(epoll) }
    }

    private func run(_ epoll: Int32) {
        var tokens = [UInt64](repeating: 0, count: 16)
        while true {
            let count = Int(cmesh_epoll_wait(epoll, &tokens, Int32(tokens.count), -1))
            if count < 0 && errno != EINTR { return }
            for token in tokens.prefix(max(0, count)) {
                if token == Self.stopToken {
                    Glibc.close(epoll)
                    Glibc.close(self.state.withLock { $0.stopDescriptor })
                    return
                }
                let action = self.state.withLock { state -> Action? in
                    guard let entry = state.watched.removeValue(forKey: token) else { return nil }
                    _ = cmesh_epoll_remove(epoll, entry.descriptor)
                    if entry.owned { Glibc.close(entry.descriptor) }
                    return entry.action
                }
                action?()
            }
        }
    }

    package func stop() {
        self.state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            for entry in state.watched.values where entry.owned { Glibc.close(entry.descriptor) }
            state.watched = [:]
            guard state.epoll >= 0 else { return }
            state.stopDescriptor = cmesh_readable_descriptor()
            _ = cmesh_epoll_add(state.epoll, state.stopDescriptor, Self.stopToken)
        }
    }
}

/// What the kernel says of a process.
package enum ProcessStatus {
    /// When it started, in clock ticks since boot; with the number it names a process for ever. Nil when there is none.
    package static func startTime(of processID: Int32) -> UInt64? {
        guard let text = readSmallFile("/proc/\(processID)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        // The fields after the name begin with the third, the state; the start time is the 22nd.
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? UInt64(fields[19]) : nil
    }

    /// Whether a process has ended, though nobody may have waited for it yet.
    package static func hasEnded(_ processID: Int32) -> Bool {
        guard let text = readSmallFile("/proc/\(processID)/stat"), let end = text.lastIndex(of: ")") else {
            return true
        }
        return ["Z", "X"].contains(text[text.index(after: end)...].split(separator: " ").first ?? "X")
    }

    /// Whether a process does nothing because it was stopped, by a signal or a debugger, or has ended; as opposed to one
    /// that is slow because the machine is busy.
    package static func isStopped(_ processID: Int32) -> Bool {
        guard let text = readSmallFile("/proc/\(processID)/stat"), let end = text.lastIndex(of: ")") else {
            return true
        }
        let state = text[text.index(after: end)...].split(separator: " ").first ?? "X"
        return ["T", "t", "Z", "X"].contains(state)
    }

    /// How many leases a process of this host may be silent that is not stopped: the machine may be so busy that it does
    /// not come to answer.
    package static let patienceWithBusy: UInt64 = 4

    /// Whether a thread of this process runs or would if a processor were free, as opposed to one that sleeps.
    package static func isRunning(thread: Int32) -> Bool {
        guard let text = readSmallFile("/proc/self/task/\(thread)/stat"), let end = text.lastIndex(of: ")") else {
            return false
        }
        return text[text.index(after: end)...].split(separator: " ").first == "R"
    }

    /// The host as processes can share it: this boot of this kernel, its process table and its files.
    package static func hostID() -> HostID {
        let boot =
            readSmallFile("/proc/sys/kernel/random/boot_id")?.split(separator: "\n").first.map(String.init) ?? "?"
        let spaces = ["pid", "mnt", "net"].map { space -> String in
            var buffer = [CChar](repeating: 0, count: 128)
            let count = readlink("/proc/self/ns/\(space)", &buffer, buffer.count - 1)
            guard count > 0 else { return "?" }
            return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        // Other users cannot enter the folder of the sockets.
        return HostID("\(boot)/\(spaces.joined(separator: ","))/\(geteuid())")
    }
}

/// The text of a file of the kernel's, at most a few kilobytes; nil when it cannot be read.
package func readSmallFile(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count], as: UTF8.self)
}

/// The system's words for the last error.
package func describeErrno() -> String { String(cString: strerror(errno)) }
