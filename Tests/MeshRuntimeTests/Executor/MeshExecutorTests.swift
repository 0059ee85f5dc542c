import MeshCore
import MeshTesting
import MeshTransportInProcess
import Synchronization
import Testing

@testable import MeshRuntime

@Suite(.timeLimit(.minutes(10)))
struct MeshExecutorTests {
    /// Notes what arrives.
    private final class Delegate: MeshExecutorDelegate {
        let checkpoints = Checkpoints()
        func receive(_ message: InboundMessage) {
            var reader = WireReader(message.head)
            self.checkpoints.reach((try? reader.readString()) ?? "?")
        }
        func flush() {}
        func tick(now: UInt64, isLast: Bool) -> UInt64? { nil }
    }

    /// An executor with what it receives from.
    private struct Bench {
        let hub = InProcessHub()
        let transport: InProcessTransport
        let sender: any TransportChannel
        let executor: MeshExecutor
        let delegate = Delegate()

        init(initial: Int, maximum: Int, idleTime: UInt64? = nil, starts: Bool = true) throws {
            self.transport = self.hub.makeTransport()
            self.sender = try self.hub.makeTransport().connect(to: self.transport.endpoints[0])
            var limits = MeshExecutor.Limits()
            (limits.initial, limits.maximum) = (initial, maximum)
            if let idleTime { limits.idleTime = idleTime }
            self.executor = MeshExecutor(transport: self.transport, limits: limits)
            if starts { self.start() }
        }

        func start() { self.executor.start(delegate: self.delegate) }

        func send(_ text: String) {
            let buffer = WireBuffer()
            buffer.write(text)
            _ = self.sender.send(OutboundMessage(head: buffer))
        }

        func stop() {
            self.executor.stop()
            #expect(self.executor.join(nanoseconds: 10_000_000_000))
            self.transport.close()
        }
    }

    @Test("jobs run first in, first out")
    func order() async throws {
        let bench = try Bench(initial: 1, maximum: 1)
        defer { bench.stop() }
        let ran = Checkpoints()
        let tasks = (0..<500).map { number in
            Task(executorPreference: bench.executor) { ran.reach("\(number)") }
        }
        for task in tasks { await task.value }
        #expect(ran.log == (0..<500).map(String.init))
    }

    @Test("jobs run on its own threads, and what they enqueue too")
    func ownThreads() async throws {
        let bench = try Bench(initial: 2, maximum: 4)
        defer { bench.stop() }
        let executor = bench.executor
        let isOwn = await Task(executorPreference: executor) {
            let before = executor.isOwnThread
            await Task.yield()
            let after = executor.isOwnThread
            let child = await withTaskGroup(of: Bool.self) { group in
                group.addTask { executor.isOwnThread }
                return await group.next() ?? false
            }
            return [before, after, child]
        }.value
        #expect(isOwn == [true, true, true])
    }

    @Test("messages arrive in order while jobs run")
    func messages() async throws {
        let bench = try Bench(initial: 2, maximum: 4)
        defer { bench.stop() }
        let tasks = (0..<200).map { _ in Task(executorPreference: bench.executor) { await Task.yield() } }
        for number in 0..<1000 { bench.send("\(number)") }
        bench.send("last")
        try await bench.delegate.checkpoints.wait(for: "last")
        #expect(bench.delegate.checkpoints.log.dropLast() == (0..<1000).map(String.init)[...])
        for task in tasks { await task.value }
    }

    @Test("when a job blocks the thread that receives, another one receives")
    func blockedLeader() async throws {
        let bench = try Bench(initial: 1, maximum: 4)
        defer { bench.stop() }
        let (begun, signal) = (Checkpoints(), WakeSignal())
        signal.reset()
        let blocked = Task(executorPreference: bench.executor) {
            begun.reach("blocked")
            _ = signal.wait(nanoseconds: 0)
        }
        try await begun.wait(for: "blocked")
        bench.send("while blocked")
        try await bench.delegate.checkpoints.wait(for: "while blocked")
        // And jobs run, too.
        await Task(executorPreference: bench.executor) {}.value
        signal.raise()
        await blocked.value
    }

    @Test("a thread that finds a job which blocks, before anybody receives, is replaced too")
    func blockedFromTheStart() async throws {
        let bench = try Bench(initial: 1, maximum: 4, starts: false)
        defer { bench.stop() }
        let signal = WakeSignal()
        signal.reset()
        let blocked = Task(executorPreference: bench.executor) { _ = signal.wait(nanoseconds: 0) }
        bench.start()
        bench.send("while blocked")
        try await bench.delegate.checkpoints.wait(for: "while blocked")
        signal.raise()
        await blocked.value
    }

    @Test("threads are added while all that there are block, up to the limit, and end when they are idle")
    func grows() async throws {
        let bench = try Bench(initial: 2, maximum: 12, idleTime: 20_000_000)
        defer { bench.stop() }
        // Each job blocks its thread until ten are there.
        let (arrived, signal) = (Checkpoints(), WakeSignal())
        signal.reset()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<10 {
                group.addTask(executorPreference: bench.executor) {
                    arrived.reach("here")
                    if arrived.count(of: "here") == 10 { signal.raise() }
                    // `raise` wakes one thread, and each wakes the next.
                    _ = signal.wait(nanoseconds: 0)
                    signal.raise()
                }
            }
        }
        #expect(arrived.count(of: "here") == 10)
        // And one that only receives.
        #expect(bench.executor.state.withLock { $0.threadCount } <= 13)
        // Once they are free, no more work at the same time than there are processors.
        let limit = MeshExecutor.Limits().parallelism
        while bench.executor.state.withLock({ $0.replaced > 0 || $0.activeThreads > limit }) { await Task.yield() }
        // And when there is no work, only those are left that were there from the start.
        while bench.executor.state.withLock({ $0.threadCount > 2 }) { try await Task.sleep(for: .milliseconds(1)) }
        // They work as before.
        await Task(executorPreference: bench.executor) {}.value
        bench.send("still there")
        try await bench.delegate.checkpoints.wait(for: "still there")
    }

    @Test("what arrives is received while every thread that there may be is blocked")
    func receivesWhenAllBlock() async throws {
        let bench = try Bench(initial: 2, maximum: 3)
        defer { bench.stop() }
        let (arrived, signal) = (Checkpoints(), WakeSignal())
        signal.reset()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask(executorPreference: bench.executor) {
                    arrived.reach("here")
                    _ = signal.wait(nanoseconds: 0)
                }
            }
            group.addTask {
                try? await arrived.wait(for: "here", count: 3)
                for round in 0..<3 {
                    bench.send("message \(round)")
                    try? await bench.delegate.checkpoints.wait(for: "message \(round)")
                }
                arrived.reach("received")
                // One after the other is free again; each must find its work.
                for _ in 0..<3 { signal.raise() }
            }
        }
        #expect(arrived.count(of: "received") == 1)
        bench.send("afterwards")
        try await bench.delegate.checkpoints.wait(for: "afterwards")
        await Task(executorPreference: bench.executor) {}.value
    }

    @Test("after stop its threads end, and jobs run on Swift's own")
    func stop() async throws {
        let bench = try Bench(initial: 2, maximum: 4)
        let executor = bench.executor
        await Task(executorPreference: executor) {}.value
        bench.stop()
        let isOwn = await Task(executorPreference: executor) { executor.isOwnThread }.value
        #expect(!isOwn)
        #expect(executor.state.withLock { $0.threadCount } == 0)
    }

    @Test("a job that blocks does not keep stop from returning; join says that it is still there")
    func stopWhileBlocked() async throws {
        let bench = try Bench(initial: 2, maximum: 4)
        let (begun, signal) = (Checkpoints(), WakeSignal())
        signal.reset()
        let blocked = Task(executorPreference: bench.executor) {
            begun.reach("blocked")
            _ = signal.wait(nanoseconds: 0)
        }
        try await begun.wait(for: "blocked")
        bench.executor.stop()
        #expect(!bench.executor.join(nanoseconds: 10_000_000))
        signal.raise()
        await blocked.value
        bench.stop()
    }
}
