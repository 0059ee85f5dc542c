import CMeshPlatform
package import Distributed
import FoundationEssentials
package import MeshCore
package import MeshRuntime
import Synchronization
import Tracing

/// What a worker process does for its node, and for those who submit tasks.
package distributed actor WorkerAgent {
    package typealias ActorSystem = Mesh

    private var isTrimmed = false
    /// Those that tasks write which have ended otherwise.
    private var streams: [UniqueID: TaskStreams] = [:]
    private var taskTypes: [String: any RemoteTask.Type] = [:]

    package init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Runs an actor's initialiser, and takes calls for it from then on.
    ///
    /// - Parameter devices: what CUDA calls the GPUs that the actor has; nil to leave the environment alone.
    package distributed func start(_ spec: ActorSpec, devices: [String]?) async throws -> StartOutcome {
        let mesh = self.actorSystem
        if let ids = spec.gpuIDs { ProcessGPUs.set(ids, devices: devices) }
        guard let type = _typeByName(spec.typeName) as? any RemoteActor.Type else {
            throw MeshError(
                .typeNotFound,
                "The program \"\(spec.program)\" has no actor type \(spec.displayType). Is the node's program "
                    + "the same version as the caller's, and is the type not private?")
        }
        if spec.options.placement == .process {
            let actor = LogRecord.Actor(
                typeName: spec.displayType, name: spec.options.name, id: spec.id, incarnation: spec.incarnation)
            LogOutlet.isAlone(LogOrigin(actor: actor, driver: spec.owner.root))
        }
        do {
            _ = try await Self.make(type, spec, on: mesh)
        } catch {
            return .failed(mesh.encodeError(error, method: "\(spec.displayType).init"))
        }
        self.trimOnce()
        return .started(spec.handle(at: mesh.address))
    }

    /// Gives this process GPUs, for the tasks that are to come.
    package distributed func equip(_ gpuIDs: [Int], devices: [String]?) async throws {
        ProcessGPUs.set(gpuIDs, devices: devices)
    }

    /// Gives back, a moment after the first actor has started, the memory of program code that only the start needed:
    /// more than half of what an idle worker has.
    private func trimOnce() {
        guard !self.isTrimmed else { return }
        self.isTrimmed = true
        _ = self.actorSystem.schedule(at: cmesh_monotonic_nanoseconds() + 300_000_000) { cmesh_release_program_pages() }
    }

    private static func make<Act: RemoteActor>(
        _ type: Act.Type, _ spec: ActorSpec, on mesh: Mesh
    ) async throws -> Act.ID {
        try await mesh.birth(
            type, id: spec.id, name: spec.options.name, incarnation: spec.incarnation, window: spec.window,
            maxConcurrency: spec.options.maxConcurrency, retries: spec.options.maxTaskRetries,
            mayRestart: spec.mayRestart, driver: spec.owner.root
        ) { try await type.make(decoding: EncodedArguments(spec.arguments), on: $0) }
    }

    /// The broker has come back as another process.
    package distributed func brokerChanged(_ broker: PeerAddress) async throws {
        try self.actorSystem.membership.setBroker(broker)
        self.actorSystem.reportAllHolds()
    }

    /// Ends an actor of this process. Returns when it has ended.
    package distributed func end(
        _ actor: UniqueID, incarnation: UInt64, _ mode: EndMode, because cause: ActorTermination.Cause
    ) async throws {
        let mesh = self.actorSystem
        guard let hosted = mesh.hosted(actor, incarnation: incarnation) else { return }
        let error = MeshError(.actorDied, "\(hosted.label) has ended: \(cause.words).")
        switch mode {
        case .kill: mesh.endActor(actor, because: error)
        case .stop(let time): await hosted.stop(within: time, because: cause, with: error)
        }
    }

    /// Returns when what this process has told others by now has arrived, or has had time to: it is about to be ended.
    package distributed func awaitDelivery() async throws {
        await self.actorSystem.waitForDelivery(atMost: self.actorSystem.settings.leaseTime)
    }

    /// Whether others refer to objects that this process owns.
    package distributed func isReferenced() async throws -> Bool { !self.actorSystem.objects.given.isEmpty }

    /// Returns when nobody else refers to an object that this process owns.
    package distributed func awaitUnreferenced() async throws {
        await self.actorSystem.objects.waitUntilNoneGiven()
    }

    /// Returns when an actor has nothing to do. Says whether somebody in this process has a counted handle to it.
    package distributed func awaitIdle(_ actor: UniqueID, incarnation: UInt64) async throws -> Bool {
        guard let hosted = self.actorSystem.hosted(actor, incarnation: incarnation) else { return false }
        await hosted.waitUntilIdle()
        return self.actorSystem.holds(actor)
    }

    /// Asks a supervisor of this process about a child of its.
    package distributed func decide(
        _ supervisor: UniqueID, incarnation: UInt64, about child: ActorTermination
    ) async throws -> Supervision.Decision {
        let hosted = self.actorSystem.hosted(supervisor, incarnation: incarnation)
        guard let actor = hosted?.instance as? any Supervisor else { return .restart }
        return await Self.decide(actor, about: child)
    }

    private nonisolated static func decide<Act: Supervisor>(
        _ actor: Act, about child: ActorTermination
    ) async -> Supervision.Decision {
        await actor.whenLocal { await $0.childDied(child) } ?? .restart
    }

    /// Runs a task. Several may run side by side.
    package distributed func run(_ spec: TaskSpec) async throws -> EncodedOutcome {
        let mesh = self.actorSystem
        guard let type = self.taskType(named: spec.typeName) else {
            throw MeshError(
                .typeNotFound,
                "This program has no task type \(spec.displayType). Is the node's program the same version as the "
                    + "caller's, and is the type not private?")
        }
        let running = try mesh.membership
        let isAlone = running.runningTasks.isEmpty
        LogOutlet.begins(task: isAlone ? spec.displayType : "", for: isAlone ? spec.owner.root : nil)
        let place = running.runningTasks.begin(spec)
        let streams = TaskStreams()
        let outcome: EncodedOutcome
        do {
            outcome = try await Self.run(type, spec, on: mesh, streams)
        } catch {
            running.runningTasks.end(place)
            throw error
        }
        guard !streams.isEmpty, !outcome.isFailure else {
            running.runningTasks.end(place)
            return outcome
        }
        // It has its slot until nobody reads what it writes.
        self.streams[spec.id] = streams
        mesh.detach {
            _ = await streams.wait()
            running.runningTasks.end(place)
        }
        return .streaming(outcome)
    }

    /// What runs here now, the oldest first.
    package distributed func runningTasks() async throws -> [RunningTask] {
        try self.actorSystem.membership.runningTasks.list(atMost: 100)
    }

    /// A task's type, which the runtime looks for by its name once only.
    private func taskType(named name: String) -> (any RemoteTask.Type)? {
        if let known = self.taskTypes[name] { return known }
        guard let type = _typeByName(name) as? any RemoteTask.Type else { return nil }
        // A program has only so many, but generic ones without end.
        if self.taskTypes.count < 1024 { self.taskTypes[name] = type }
        return type
    }

    private nonisolated static func run<Work: RemoteTask>(
        _ type: Work.Type, _ spec: TaskSpec, on mesh: Mesh, _ streams: TaskStreams
    ) async throws -> EncodedOutcome {
        let method = "\(_typeName(Work.self, qualified: false)).run(on:)"
        let span = mesh.tracing?.begin(method, after: spec.trace)
        defer { span?.end() }
        do {
            let task = try mesh.decode(Work.self, from: spec.task, what: spec.displayType)
            let scope = MeshScope.running(method, of: spec.displayType, for: spec.owner, streams)
            return try await MeshScope.$current.withValue(scope) {
                let output: Work.Output
                if let span {
                    output = try await ServiceContext.withValue(span.context) { try await task.run(on: mesh) }
                } else {
                    output = try await task.run(on: mesh)
                }
                guard let owner = spec.id.owner else { return .value(try mesh.encode(output)) }
                do {
                    return try await mesh.encodeOutcome(output, for: owner)
                } catch let error as MeshError where error.code == .actorDied || error.code == .actorUnavailable {
                    throw LostNode(error: error)
                }
            }
        } catch let lost as LostNode {
            // It is not the task that failed: it may run again elsewhere.
            let message = "The node of the task's worker ended before it had taken over the result."
            throw MeshError(.actorDied, message, cause: lost.error)
        } catch {
            span?.fail(error)
            // It may run again, and then has streams of its own.
            streams.end(with: MeshError(.actorDied, "The task that wrote the stream has failed.", cause: error))
            return .failure(mesh.encodeError(error, method: method))
        }
    }

    /// Returns when a task that has ended writes no streams any more: they were read to their ends, or nobody reads them.
    package distributed func awaitStreams(of task: UniqueID) async throws {
        guard let streams = self.streams[task], await streams.wait() else { return try Task.checkCancellation() }
        self.streams[task] = nil
    }

    /// Ends the streams that a task writes, and returns when their readers know, or had time to, and their writers are
    /// done.
    package distributed func endStreams(of task: UniqueID, because error: MeshError) async throws {
        guard let streams = self.streams.removeValue(forKey: task) else { return }
        streams.end(with: error)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await streams.wait() }
            group.addTask { try? await Task.sleep(for: Self.timeToHear) }
            await group.next()
            group.cancelAll()
        }
        streams.forgetReaders(on: self.actorSystem)
        _ = await streams.wait()
    }

    /// A reader that asks for more within this time is told that the stream was cancelled.
    private static let timeToHear = Duration.seconds(2)
}

/// The node of this worker has ended, and with it what it was to keep.
private struct LostNode: Error {
    var error: MeshError
}
