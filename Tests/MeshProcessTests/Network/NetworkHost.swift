import CTestNetwork
import Dispatch
import Glibc
import MeshCore
import Synchronization

/// A host with a network of its own, on this machine: a network namespace with one wire, `eth0`, whose other end is a
/// descriptor for a ``NetworkSwitch``.
///
/// It is the namespace of one thread. What the thread does and starts is on that host: processes, which are killed when
/// the thread ends, and jobs of tasks that prefer this executor, so that a mesh that is made in such a task has its
/// sockets there. Nothing else holds the namespace, so that the kernel removes it with its last process, however the
/// test ends.
final class NetworkHost: TaskExecutor {
    let number: Int
    let name: String
    /// Its own address.
    let address: String
    /// The other end of its wire.
    let wire: Int32
    private let queue = Queue()

    private final class Queue: Sendable {
        let jobs = Mutex<[@Sendable () -> Bool]>([])
        let arrived = DispatchSemaphore(value: 0)

        /// Takes jobs until one says that it was the last.
        func run() {
            while true {
                self.arrived.wait()
                let job = self.jobs.withLock { $0.removeFirst() }
                if !job() { return }
            }
        }

        func add(_ job: @escaping @Sendable () -> Bool) {
            self.jobs.withLock { $0.append(job) }
            self.arrived.signal()
        }
    }

    /// Makes a host.
    ///
    /// - Parameter number: from 1 to 250; by it hosts have different addresses.
    /// - Throws: when this process may not make one, or `ip` does not set it up.
    init(number: Int, name: String, version6: Bool) throws {
        self.number = number
        self.name = name
        self.address = Self.address(number, version6: version6)
        guard startThread(named: "host \(name)", { [queue = self.queue] in queue.run() }) else {
            throw MeshError(.systemFailure, "No thread for host \(name).")
        }
        do {
            self.wire = try Self.perform(on: self.queue) {
                guard ctest_unshare_network() == 0 else {
                    throw MeshError(.systemFailure, "No network namespace can be made: error \(errno).")
                }
                let wire = ctest_open_tap("eth0")
                guard wire >= 0 else { throw MeshError(.systemFailure, "No wire can be made: error \(errno).") }
                return wire
            }
        } catch {
            self.queue.add { false }
            throw error
        }
        let own = version6 ? ["-6", "addr", "add", "\(self.address)/64", "dev", "eth0", "nodad"] : []
        let setup = [
            ["link", "set", "lo", "up"], ["link", "set", "eth0", "address", Self.hardwareAddress(number)],
            version6 ? own : ["addr", "add", "\(self.address)/24", "dev", "eth0"], ["link", "set", "eth0", "up"],
        ]
        for arguments in setup { try self.run("ip", arguments) }
    }

    /// The address of the host with a number.
    static func address(_ number: Int, version6: Bool) -> String {
        version6 ? "fd77::\(String(number, radix: 16))" : "10.77.0.\(number)"
    }

    private static func hardwareAddress(_ number: Int) -> String {
        "02:00:00:00:00:\(number < 16 ? "0" : "")\(String(number, radix: 16))"
    }

    /// The host as it is written in an endpoint.
    var host: String { self.address.contains(":") ? "[\(self.address)]" : self.address }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.queue.add { [executor = self.asUnownedTaskExecutor()] in
            job.runSynchronously(on: executor)
            return true
        }
    }

    /// Does something on this host, and waits until it is done.
    func perform<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
        try Self.perform(on: self.queue, body)
    }

    private static func perform<Result: Sendable>(
        on queue: Queue, _ body: @escaping @Sendable () throws -> Result
    ) throws -> Result {
        let done = DispatchSemaphore(value: 0)
        let outcome = Mutex<Swift.Result<Result, any Error>?>(nil)
        queue.add {
            let result = Swift.Result { try body() }
            outcome.withLock { $0 = result }
            done.signal()
            return true
        }
        done.wait()
        guard let result = outcome.withLock({ $0 }) else { throw CancellationError() }
        return try result.get()
    }

    /// Runs a tool of the system on this host, to its end.
    ///
    /// - Throws: when it fails.
    func run(_ tool: String, _ arguments: [String]) throws {
        let status = try self.perform { () -> Int32? in
            var command = ([tool] + arguments).map { strdup($0) } + [nil]
            defer { for pointer in command { free(pointer) } }
            var process: pid_t = 0
            guard posix_spawnp(&process, tool, nil, nil, &command, environ) == 0 else { return nil }
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0 && errno == EINTR {}
            return status
        }
        guard let status else { throw MeshError(.systemFailure, "\(tool) cannot be run; is it installed?") }
        guard status == 0 else {
            throw MeshError(.systemFailure, "\(([tool] + arguments).joined(separator: " ")): status \(status).")
        }
    }

    /// The processes that are on this host.
    func processes() throws -> [Int32] {
        let space = try self.perform { Self.space("/proc/thread-self/ns/net") }
        return ProcessTable.all.filter { $0 != getpid() && Self.space("/proc/\($0)/ns/net") == space }
    }

    private static func space(_ path: String) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        let count = readlink(path, &buffer, buffer.count - 1)
        return String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Ends the host, and with it the processes that were started on it.
    func end() { self.queue.add { false } }

    deinit {
        self.end()
        close(self.wire)
    }
}
