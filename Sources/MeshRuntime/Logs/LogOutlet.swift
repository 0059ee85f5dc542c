import CMeshPlatform
import Glibc
import Logging
package import MeshCore
import Synchronization

/// Where a process's records go.
package protocol LogSink: Sendable {
    /// Whether somebody else shows what it takes to whoever runs this process.
    var isShown: Bool { get }

    /// Takes a record, which the closure writes as ``LogContent`` does, or the name of a task that begins. When this returns it is out of this process's
    /// hands, or in a driver in the buffer that is sent. Waits while there is no room.
    func write(_ fill: (WireBuffer) -> Void)
}

/// Where this process's records go: to its node in a worker, to the collector in a program that has joined a mesh, and
/// nowhere else.
package enum LogOutlet {
    private static let sinks = Mutex<[(token: UInt64, sink: any LogSink)]>([])
    private static let nextToken = Atomic<UInt64>(1)

    /// The one that was set up last; nil outside of a mesh.
    package static var current: (any LogSink)? { self.sinks.withLock { $0.last?.sink } }

    /// Returns what to remove it by.
    package static func add(_ sink: any LogSink) -> UInt64 {
        let token = self.nextToken.wrappingAdd(1, ordering: .relaxed).oldValue
        self.sinks.withLock { $0.append((token, sink)) }
        return token
    }

    package static func remove(_ token: UInt64) { self.sinks.withLock { $0.removeAll { $0.token == token } } }

    /// Nanoseconds since 1970.
    package static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// In whose name everything in this process speaks that is known to be nobody else's.
    private static let sole = Mutex<LogOrigin>(LogOrigin())

    fileprivate static var soleOrigin: LogOrigin { self.sole.withLock { $0 } }

    /// This process has one actor, and will have no other.
    package static func isAlone(_ origin: LogOrigin) { self.sole.withLock { $0 = origin } }

    /// A task begins in this process, whose lines are its own from now on; an empty name: nobody knows whose they are.
    /// Costs nothing when it is of the same type, and for the same driver, as the one before.
    package static func begins(task name: String, for driver: PeerID?) {
        guard let sink = self.current else { return }
        let origin = LogOrigin(task: name.isEmpty ? nil : name, driver: driver)
        let isNew = self.sole.withLock { last in
            defer { last = origin }
            return last != origin
        }
        guard isNew else { return }
        if sink.isShown { self.waitForReaders() }
        sink.write { TaskBeginning(name: name, driver: driver).write(to: $0) }
    }

    /// Waits until the node has read what this worker has printed, which was the task's before. It does at once, unless it
    /// is stopped or shows lines that nobody takes; then it is not waited for any longer.
    private static func waitForReaders() {
        for _ in 0..<200 {
            let isRead = [STDOUT_FILENO, STDERR_FILENO].allSatisfy { descriptor in
                var unread: Int32 = 0
                return ioctl(descriptor, UInt(FIONREAD), &unread) < 0 || unread == 0
            }
            if isRead { return }
            usleep(100)
        }
    }

    /// Tells of a message that an actor of this process has collected.
    package static func collected(_ text: String, from sender: String, metadata: [(String, String)] = []) {
        guard let sink = self.current else { return }
        let (origin, trace) = (LogOrigin.current, CallTracing.currentTraceID)
        sink.write { buffer in
            LogContent.writeHead(.message, .info, self.now(), text, metadata.count + 1, of: origin, to: buffer)
            for (key, value) in metadata { LogContent.write(key, value, to: buffer) }
            LogContent.write("sender", sender, to: buffer)
            LogContent.writeOrigin(origin, traceID: trace, dropped: 0, to: buffer)
        }
    }
}

/// What a worker writes beside records: that the lines from now on are a task's.
///
/// MessagePack: the name, empty when nobody knows whose they are, and the driver's process or nil.
package struct TaskBeginning: Hashable, Sendable {
    package var name: String
    package var driver: PeerID?

    package init(name: String, driver: PeerID?) {
        self.name = name
        self.driver = driver
    }

    func write(to buffer: WireBuffer) {
        buffer.write(self.name)
        if let driver { buffer.write(driver.number) } else { buffer.writeNil() }
    }

    /// - Throws: ``WireError`` when it is none.
    package init(reading bytes: UnsafeRawBufferPointer) throws {
        var reader = WireReader(bytes)
        self.name = try reader.readString(maximumBytes: LogContent.longestMetadata)
        self.driver = try reader.readNil() ? nil : PeerID(try reader.readUInt())
        guard reader.isAtEnd else { throw WireError("something follows the name of a task") }
    }
}

/// In whose name the code that runs now speaks, and for which driver.
package struct LogOrigin: Hashable, Sendable {
    package var actor: LogRecord.Actor?
    package var task: String?
    package var driver: PeerID?

    package init(actor: LogRecord.Actor? = nil, task: String? = nil, driver: PeerID? = nil) {
        self.actor = actor
        self.task = task
        self.driver = driver
    }

    /// That of the actor or the task whose code this is; for code that runs beside, as a detached task of Swift, that of the
    /// one actor or task which the process has.
    package static var current: LogOrigin {
        if let birth = Birth.current {
            return LogOrigin(
                actor: LogRecord.Actor(
                    typeName: birth.typeName, name: birth.name, id: birth.id, incarnation: birth.incarnation),
                driver: birth.driver)
        }
        guard let call = MeshScope.current?.call, let hosted = call.hosted else { return LogOutlet.soleOrigin }
        guard hosted.id.isReserved else {
            return LogOrigin(
                actor: LogRecord.Actor(
                    typeName: hosted.typeName, name: hosted.name, id: hosted.id, incarnation: hosted.incarnation),
                driver: hosted.driver)
        }
        // A task runs in the name of the agent of its process, as `Publish.run(on:)`.
        guard let owner = call.owner, let task = call.task else { return LogOutlet.soleOrigin }
        return LogOrigin(task: task, driver: owner.root)
    }
}

/// A worker's way to its node.
///
/// `doorbell`: writing a byte to it wakes the node, which happens only when that has read everything before, or when
/// there is no room.
package final class RingSink: LogSink {
    private struct State {
        var ring: LogRing
        let buffer = WireBuffer(capacity: 1024)
    }

    private let state: Mutex<State>
    private let doorbell: Int32
    /// The node does.
    package var isShown: Bool { true }

    package init(ring: LogRing, doorbell: Int32) {
        self.state = Mutex(State(ring: ring))
        self.doorbell = doorbell
    }

    package func write(_ fill: (WireBuffer) -> Void) {
        self.state.withLock { state in
            state.buffer.removeAll()
            fill(state.buffer)
            if state.ring.write(state.buffer.bytes, whenFull: self.ring) { self.ring() }
        }
    }

    private func ring() {
        var byte: UInt8 = 1
        while Glibc.write(self.doorbell, &byte, 1) < 0 && errno == EINTR {}
    }
}
