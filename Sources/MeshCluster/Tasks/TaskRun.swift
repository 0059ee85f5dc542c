import CMeshPlatform
import MeshCore
import MeshRuntime
import Synchronization

/// One task from its submission to its result: it waits for what it refers to, is run, and is run again after errors
/// that say so.
final class TaskRun<Work: RemoteTask>: Sendable {
    private let spec: TaskSpec
    private let options: TaskOptions
    private let object: PendingObject<Work.Output>
    private let mesh: Mesh
    private let scheduler: TaskScheduler
    private let window: TaskWindow
    /// How often it may still run after an error; nil without a limit.
    private let retriesLeft: Mutex<Int?>
    /// What ends it when it takes too long, until it has ended.
    private let timer = Mutex<TimerQueue.Token?>(nil)

    init(
        _ spec: TaskSpec, as type: Work.Type, _ options: TaskOptions, object: PendingObject<Work.Output>, on mesh: Mesh,
        _ scheduler: TaskScheduler, _ window: TaskWindow
    ) {
        self.spec = spec
        self.options = options
        self.object = object
        self.mesh = mesh
        self.scheduler = scheduler
        self.window = window
        self.retriesLeft = Mutex(options.maxRetries.count)
    }

    private var name: String { self.options.name ?? self.spec.displayType }

    /// Has it run when the objects are there to which it refers. If one of them is an error, that is its result.
    func start(after inputs: [PendingResult]) {
        if let timeout = self.options.timeout { self.end(after: timeout) }
        guard !inputs.allSatisfy({ $0.isComplete && $0.failure == nil }) else { return self.submit() }
        let waiting = self.mesh.detach {
            for input in inputs {
                await input.wait()
                if let failure = input.failure { return self.end(.failure(failure)) }
                guard !Task.isCancelled else {
                    return self.end(.failure(MeshError(.cancelled, "\(self.name) was cancelled before it started.")))
                }
            }
            self.submit()
        }
        self.object.setTask(waiting)
    }

    private func end(after timeout: Duration) {
        let token = self.mesh.schedule(at: cmesh_monotonic_nanoseconds() + timeout.nanoseconds) { [weak self] in
            guard let self, !self.object.isComplete else { return }
            let cancel = self.object.beginCancelling()
            self.object.become(
                .failure(MeshError(.deadlineExceeded, "The task \(self.name) was not done after \(timeout).")))
            cancel()
        }
        self.timer.withLock { $0 = token }
    }

    private func submit() {
        let cancel = self.scheduler.submit(self.spec, retries: self.options.maxRetries) { self.finish($0, cancel: $1) }
        self.object.setCancel(cancel)
    }

    private func finish(_ result: Result<EncodedOutcome, any Error>, cancel: @escaping @Sendable () -> Void) {
        do {
            var outcome = try result.get()
            if case .streaming(let inner) = outcome {
                outcome = inner
                self.object.setLateCancel(cancel)
            }
            self.end(try self.decode(outcome))
        } catch {
            self.end(.failure(error))
        }
    }

    private func decode(_ outcome: EncodedOutcome) throws -> ObjectOutcome<Work.Output>? {
        switch outcome {
        case .value(let data):
            return .value(try self.mesh.decode(Work.Output.self, from: data, what: "The result of \(Work.self)"))
        case .stored(let object, let holds):
            return .stored(StoredValue(object, holds: holds, isOwn: true, on: self.mesh))
        case .failure(let error):
            let error = self.mesh.decodeError(error)
            return self.takeRetry(after: error) ? nil : .failure(error)
        case .streaming(let outcome): return try self.decode(outcome)
        }
    }

    private func takeRetry(after error: any Error) -> Bool {
        guard !self.object.isComplete, !self.object.isCancelled, self.options.allowsRetry(after: error) else {
            return false
        }
        return self.retriesLeft.withLock { left in
            guard let count = left else { return true }
            left = max(0, count - 1)
            return count > 0
        }
    }

    /// - Parameter outcome: nil to run it again.
    private func end(_ outcome: ObjectOutcome<Work.Output>?) {
        guard let outcome else { return self.submit() }
        self.object.become(outcome)
        if let token = self.timer.withLock({ $0 }) { self.mesh.timers.cancel(token) }
        self.window.leave()
    }
}
