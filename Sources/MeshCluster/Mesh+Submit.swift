import CMeshPlatform
import FoundationEssentials
import MeshCore
public import MeshRuntime
import Synchronization

extension Mesh {
    /// Starts a call and goes on: returns as soon as the call has been accepted, and suspends only when
    /// `maxPendingCalls` are outstanding. Calls to one actor run in the order in which they were submitted.
    ///
    /// ```swift
    /// let total = try await mesh.submit { try await counter.increment() }
    /// print(try await total.value)
    /// ```
    ///
    /// - Parameters:
    ///   - backPressure: what to do at the limit; nil for the mesh's setting.
    ///   - call: contains one call of a distributed method. What stands around it runs here, at once.
    public func submit<Value: Codable & Sendable>(
        backPressure: BackPressure? = nil, _ call: @escaping @Sendable () async throws -> Value
    ) async throws -> ObjectRef<Value> {
        let object = self.makeObject(Value.self, policy: backPressure ?? self.settings.backPressure)
        await self.start(object, call)
        return ObjectRef(object)
    }

    /// The same for a method without a result.
    public func submit(
        backPressure: BackPressure? = nil, _ call: @escaping @Sendable () async throws -> Void
    ) async throws -> ObjectRef<Done> {
        let object = self.makeObject(Done.self, policy: backPressure ?? self.settings.backPressure)
        await self.start(object) {
            try await call()
            return Done()
        }
        return ObjectRef(object)
    }

    private func start<Value: Codable & Sendable>(
        _ object: PendingObject<Value>, _ call: @escaping @Sendable () async throws -> Value
    ) async {
        let scope = MeshScope.submitting(object)
        let task = Task.immediate(executorPreference: self.executor) {
            do {
                let value = try await MeshScope.$current.withValue(scope) { try await call() }
                object.complete(.success(value))
            } catch {
                object.complete(.failure(error))
            }
            // A closure that made no call, or whose call failed before it was sent.
            object.accept()
        }
        object.setTask(task)
        await object.waitForAcceptance()
        await self.executor.breathe()
    }

    /// Sends a one-way message: returns once it has been accepted, and no reply travels. Back-pressure holds as for
    /// calls. An error that the method throws is logged where it runs; a message to an actor that dies is lost.
    ///
    /// ```swift
    /// try await mesh.tell { try await log.log(1, "started") }
    /// ```
    ///
    /// - Parameter call: contains the calls to send. With a method that has a result, the closure ends there.
    public func tell<Value>(
        backPressure: BackPressure? = nil, _ call: () async throws -> Value
    ) async throws {
        let scope = MeshScope.telling(backPressure ?? self.settings.backPressure)
        do {
            _ = try await MeshScope.$current.withValue(scope) { try await call() }
        } catch is AcceptedOneWay {}
        await self.executor.breathe()
    }

    /// Runs code whose calls must end within a time. The deadline travels with them, also through further calls that
    /// the actors make; the earlier one holds.
    ///
    /// - Throws: `deadlineExceeded` from a call that takes longer. It is cancelled where it runs, and may or may not
    ///   have run.
    public func withDeadline<Value>(
        _ timeout: Duration, _ body: () async throws -> Value
    ) async throws -> Value {
        let deadline = cmesh_monotonic_nanoseconds() + timeout.nanoseconds
        return try await MeshScope.$current.withValue(MeshScope.until(deadline)) { try await body() }
    }

    /// Submits a task: returns a reference to its result as soon as the task is accepted, and waits only when
    /// ``MeshSettings/maxPendingTasks`` are under way.
    ///
    /// The task runs in a worker process of a node that has this program, when one is free and the objects are there to
    /// which it refers; while it waits for those it keeps no worker. If the worker dies it runs again,
    /// ``TaskOptions/maxRetries`` times; what it throws arrives as the error of the reference. When all nodes are gone that
    /// had workers for it, it waits four lease times for others, and then fails with what is missing.
    ///
    /// - Throws: `typeNotFound`, `payloadTooLarge`, `invalidArgument` for resources that make no sense, `cancelled` when
    ///   the calling task is cancelled while it waits, `brokerUnavailable` when this process has left its mesh.
    public func submit<Work: RemoteTask>(
        _ task: Work, options: TaskOptions = TaskOptions()
    ) async throws -> ObjectRef<Work.Output> {
        guard let typeName = _mangledTypeName(Work.self) else {
            throw MeshError(.typeNotFound, "\(Work.self) has no name that another process could find it by.")
        }
        let object = self.makeObject(Work.Output.self)
        let spec = TaskSpec(
            id: object.id, typeName: typeName, displayType: _typeName(Work.self), task: try self.encode(task),
            owner: self.currentOwner, trace: self.tracing?.carried() ?? [:])
        guard spec.task.count <= self.settings.maximumPayload else {
            throw MeshError(
                .payloadTooLarge,
                "The task \(Work.self) takes \(spec.task.count) bytes; the limit is \(self.settings.maximumPayload). "
                    + "Put what is large into the mesh, and pass the reference.")
        }
        if let resources = options.resources { _ = try ResourceAmounts(asked: resources) }
        let membership = try self.membership
        let scheduler = membership.scheduler(for: options.resources)
        try await membership.taskWindow.enter()
        let run = TaskRun(spec, as: Work.self, options, object: object, on: self, scheduler, membership.taskWindow)
        run.start(after: spec.task.objects.flatMap(self.objects.all))
        return ObjectRef(object)
    }

    // MARK: Results

    /// The value of a reference, as soon as it is there.
    ///
    /// - Throws: the error that came instead; `deadlineExceeded` after `timeout`, also when it is on its way from another
    ///   host: then all goes on, and a later `get` returns its value; `cancelled` when the calling task is cancelled.
    public func get<Value>(_ ref: ObjectRef<Value>, timeout: Duration? = nil) async throws -> Value {
        guard let timeout else { return try await ref.value }
        let deadline = ContinuousClock.now + timeout
        _ = try await self.waitFor([ref], count: 1, timeout: timeout)
        guard ref.object.isComplete else { throw Self.late(timeout) }
        guard ref.object.isStored else { return try await ref.value }
        // One that takes no time is there also when there is none left.
        let left = max(Self.timeToRead, deadline - ContinuousClock.now)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await ref.value }
            group.addTask {
                try? await Task.sleep(for: left)
                return nil
            }
            defer { group.cancelAll() }
            if let value = try await group.next() ?? nil { return value }
            guard Task.isCancelled else { throw Self.late(timeout) }
            throw MeshError(.cancelled, "The task that waited for objects was cancelled.")
        }
    }

    private static let timeToRead = Duration.milliseconds(100)

    private static func late(_ timeout: Duration) -> MeshError {
        MeshError(.deadlineExceeded, "The value was not there after \(timeout); a later get can still return it.")
    }

    /// The values of several references, in their order.
    ///
    /// - Throws: the first error, as soon as it is there, without waiting for the others.
    public func get<Value>(_ refs: [ObjectRef<Value>], timeout: Duration? = nil) async throws -> [Value] {
        try await withThrowingTaskGroup(of: (UniqueID, Value).self) { group in
            for ref in Set(refs) { group.addTask { (ref.id, try await self.get(ref, timeout: timeout)) } }
            let values = try await group.reduce(into: [UniqueID: Value]()) { $0[$1.0] = $1.1 }
            return refs.compactMap { values[$0.id] }
        }
    }

    /// Waits until so many references have a value or an error, or the time is over.
    ///
    /// - Returns: those that have (at most `count` of them) and the rest, both in the order of `refs`.
    /// - Throws: `invalidArgument` for a count below 1 or above the number of references, for a reference that
    ///   is there twice, and for a negative timeout; `cancelled`.
    public func wait<Value>(
        _ refs: [ObjectRef<Value>], count: Int = 1, timeout: Duration? = nil
    ) async throws -> (ready: [ObjectRef<Value>], pending: [ObjectRef<Value>]) {
        if refs.isEmpty { return ([], []) }
        guard (1...refs.count).contains(count) else {
            throw MeshError(.invalidArgument, "wait for \(count) of \(refs.count) references makes no sense.")
        }
        guard Set(refs).count == refs.count else {
            throw MeshError(.invalidArgument, "wait was given the same reference twice.")
        }
        if let timeout, timeout < .zero {
            throw MeshError(.invalidArgument, "A timeout of \(timeout) makes no sense.")
        }
        return try await self.waitFor(refs, count: count, timeout: timeout)
    }

    private func waitFor<Value>(
        _ refs: [ObjectRef<Value>], count: Int, timeout: Duration?
    ) async throws -> (ready: [ObjectRef<Value>], pending: [ObjectRef<Value>]) {
        for ref in refs { ref.object.beginIfNeeded() }
        let missing = refs.filter { !$0.object.isComplete }
        if refs.count - missing.count < count, timeout != .zero {
            await withTaskGroup(of: Bool.self) { group in
                for ref in missing {
                    group.addTask {
                        await ref.object.wait()
                        return true
                    }
                }
                let timer = self.makeObject(Done.self)
                if let timeout {
                    let deadline = cmesh_monotonic_nanoseconds() + timeout.nanoseconds
                    let token = self.schedule(at: deadline) { timer.complete(.success(Done())) }
                    group.addTask {
                        await timer.wait()
                        self.timers.cancel(token)
                        return false
                    }
                }
                // Counted one by one: to look at all of them again each time takes long when they are many.
                var ready = refs.count - missing.count
                while ready < count, !timer.isComplete, !Task.isCancelled {
                    guard let isReady = await group.next() else { break }
                    if isReady { ready += 1 }
                }
                group.cancelAll()
            }
            if Task.isCancelled { throw MeshError(.cancelled, "The task that waited for objects was cancelled.") }
        }
        var ready: [ObjectRef<Value>] = []
        var pending: [ObjectRef<Value>] = []
        for ref in refs {
            if ready.count < count, ref.object.isComplete { ready.append(ref) } else { pending.append(ref) }
        }
        return (ready, pending)
    }

    /// Cancels the work behind a reference, as far as it can be: what has not started does not start, and what runs
    /// is told, as Swift's tasks are. The reference then has the error `cancelled`, or its value if that was faster. A
    /// stream that is the result of a task ends with `cancelled`, if it has not ended yet.
    public func cancel<Value>(_ ref: ObjectRef<Value>) { ref.object.cancel() }
}
