import Glibc
import MeshCore

/// The times and limits of a process's part of the mesh.
public struct MeshSettings: Sendable {
    /// A process that does not answer for so long while somebody waits for it is given up: calls to it fail, and the
    /// next one tries again. In a mesh of several processes the broker's counts for all. One that is stopped, by SIGSTOP
    /// or in a debugger, is silent.
    public var leaseTime: Duration
    /// How often members say that they live, and a silent process is asked whether it does, while somebody waits for it.
    public var heartbeatInterval: Duration
    /// How long nodes and drivers go on without a broker that has ended and that keeps its registry in a file. One that
    /// keeps it in memory is waited for as long as the lease time.
    public var brokerAbsence: Duration
    /// Arguments or a result of more bytes are refused with `payloadTooLarge`.
    public var maximumPayload: Int
    /// How many calls from one process to one actor may be outstanding, unless the actor's options say otherwise.
    public var maxPendingCalls: Int
    /// How many tasks of one process may be under way: one more waits with being submitted until another is done.
    public var maxPendingTasks: Int
    /// What a call does when that many are outstanding.
    public var backPressure: BackPressure
    /// How processes of one host reach each other.
    public var localTransport: LocalTransport
    /// How much memory a node's or a program's large objects may take before those that were not used for the longest go
    /// to disk; nil for three tenths of the machine's memory, or of what its control group may have when that is less.
    public var objectMemory: ByteCount?
    /// The folder for what memory has no room for; nil for `$TMPDIR`, or `/var/tmp`. Nothing is left in it.
    public var spillDirectory: String?
    /// How much memory a process may have at a time through which its large values go to others of its host.
    package var sharedMemory = 64 << 20
    /// How much memory this process may use in all.
    package var availableMemory: @Sendable () -> Int64 = {
        Int64(max(0, sysconf(Int32(_SC_PHYS_PAGES)))) * Int64(max(0, sysconf(Int32(_SC_PAGESIZE))))
    }
    /// How many actors that have ended, and how many processes, are remembered.
    package var remembered = 10_000

    /// How processes of one host reach each other; those of different hosts always use TCP.
    public enum LocalTransport: String, Hashable, Sendable, Codable {
        /// Unix domain sockets, the fastest.
        case ipc
        /// TCP over the loopback interface, as between hosts.
        case tcp
    }

    /// The defaults: 5 s, 1 s, 10 minutes, 256 MiB, 1,000 calls, 10,000 tasks, wait, Unix domain sockets.
    public init(
        leaseTime: Duration = .seconds(5), heartbeatInterval: Duration = .seconds(1),
        brokerAbsence: Duration = .seconds(600),
        maximumPayload: Int = 256 << 20, maxPendingCalls: Int = 1000, maxPendingTasks: Int = 10_000,
        backPressure: BackPressure = .wait,
        localTransport: LocalTransport = .ipc, objectMemory: ByteCount? = nil, spillDirectory: String? = nil
    ) {
        self.leaseTime = leaseTime
        self.heartbeatInterval = heartbeatInterval
        self.brokerAbsence = brokerAbsence
        self.maximumPayload = maximumPayload
        self.maxPendingCalls = maxPendingCalls
        self.maxPendingTasks = maxPendingTasks
        self.backPressure = backPressure
        self.localTransport = localTransport
        self.objectMemory = objectMemory
        self.spillDirectory = spillDirectory
    }

    /// What this process tells others that it can do. Processes that reach each other as those of different hosts do share
    /// no memory either.
    var features: PeerFeatures { self.localTransport == .ipc && self.sharedMemory > 0 ? .sharedMemory : [] }

    /// A value of more bytes, encoded, is a large object.
    static let smallObject = 64 << 10

    var objectBudget: Int {
        if let memory = self.objectMemory { return Int(clamping: max(0, memory.bytes)) }
        return Int(clamping: max(0, self.availableMemory()) / 10 * 3)
    }

    var effectiveSpillDirectory: String {
        if let folder = self.spillDirectory { return folder }
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        return folder.isEmpty ? "/var/tmp" : folder
    }
}

extension Duration {
    /// Whole nanoseconds; what is negative counts as 0, what is too long as almost 300 years.
    package var nanoseconds: UInt64 {
        let (seconds, attoseconds) = self.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < 9_000_000_000 else { return 9_000_000_000_000_000_000 }
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
