import CMeshPlatform
import DequeModule
package import Distributed
package import MeshCore
import MeshMessagePack
import Synchronization
import Tracing

/// An actor that lives in this process, with its mailbox.
package final class HostedActor: Sendable {
    package let id: UniqueID
    package let incarnation: UInt64
    package let typeName: String
    package let name: String?
    /// Whether the mesh keeps it alive, as it does for one that was spawned.
    let isOwned: Bool
    /// How many of its calls may run side by side.
    let maxConcurrency: Int
    let mesh: Mesh
    /// Keeps its state, if that is to outlive it.
    let keeper: (any StateKeeping)?
    let mailbox: Mutex<MailboxState>
    /// The actor itself; nil once it has ended.
    private let actor: Mutex<ActorBox>
    private let idleWaiters = Mutex<[IdleWaiter]>([])
    /// Whether the actor has asked for its own end.
    let exits = Once()

    /// Holds on to a spawned actor; one that its program made itself lives as its owner pleases.
    private struct ActorBox {
        var strong: (any DistributedActor)?
        weak var weak: (any DistributedActor)?
    }

    /// The program for which it works, if that is known.
    let driver: PeerID?

    init(
        id: UniqueID, incarnation: UInt64, typeName: String, name: String?, maxConcurrency: Int,
        actor: any DistributedActor, isOwned: Bool, mesh: Mesh, keeper: (any StateKeeping)? = nil,
        driver: PeerID? = nil
    ) {
        self.driver = driver
        self.id = id
        self.incarnation = incarnation
        self.typeName = typeName
        self.name = name
        self.isOwned = isOwned
        self.maxConcurrency = maxConcurrency
        self.mesh = mesh
        self.keeper = keeper
        self.mailbox = Mutex(
            MailboxState(
                limit: maxConcurrency, process: mesh.address.peer,
                answers: keeper?.restoredAnswers ?? RememberedAnswers()))
        self.actor = Mutex(ActorBox(strong: isOwned ? actor : nil, weak: actor))
    }

    /// For messages to people: `Account "savings" (1fcc75b5)`.
    package var label: String {
        let type = shortName(ofType: self.typeName)
        return self.name.map { "\(type) \"\($0)\" (\(self.id.short))" } ?? "\(type) (\(self.id.short))"
    }

    /// What a runner uses again from call to call.
    final class RunnerScratch {
        let result = DispatchScratch()
        let buffer = CallBuffer()
    }

    /// The actor itself; nil once it has ended.
    package var instance: (any DistributedActor)? { self.actor.withLock { $0.strong ?? $0.weak } }

    // MARK: Calls arrive

    func enqueue(_ call: InboundCall) {
        if let chain = call.context?.chain, let error = self.deadlock(chain, call) {
            return self.mesh.reply(to: call, with: error)
        }
        let now = !call.mayComeAgain ? 0 : cmesh_monotonic_nanoseconds()
        switch self.mailbox.withLock({ $0.arrive(call, now: now) }) {
        case .wait: break
        case .answered(let answer): self.mesh.send(answer, to: call)
        case .forgotten(let error): self.mesh.reply(to: call, with: error)
        case .start: self.startRunner()
        case .refused(let error): self.mesh.refuse(call, of: self.id, self.incarnation, with: error)
        }
    }

    /// The error for a call that could never start, because all that may run here at the same time wait for it.
    ///
    /// Found here and not by the caller, who does not know how many that are.
    private func deadlock(_ chain: [ChainLink], _ call: InboundCall) -> MeshError? {
        guard self.maxConcurrency <= chain.count, let start = chain.firstIndex(where: { $0.actor == self.id }),
            chain.count(where: { $0.actor == self.id }) >= self.maxConcurrency
        else { return nil }
        let path = chain[start...].map { "\($0.method) of \($0.actor.short)" } + [call.target.label]
        return MeshError(
            .deadlock,
            "\(self.label) waits for this call already: \(path.joined(separator: " → ")). "
                + "Return first, use submit or tell, or give the actor a larger maxConcurrency.")
    }

    /// Cancels a call that waits or runs; one that has ended is left alone.
    func cancel(_ key: CallKey) {
        switch self.mailbox.withLock({ $0.cancel(key) }) {
        case .unknown: break
        case .running(let runner): runner.cancel()
        case .removed(let call):
            let message = "\(call.target.label) of \(self.label) was cancelled before it started."
            self.conclude(call, with: MeshError(.cancelled, message))
        }
    }

    /// Ends the actor: calls that wait fail, those that run are cancelled and fail too, at once: what their code still
    /// does, if it does not heed the cancellation, is of no interest to their callers.
    func end(with error: MeshError) {
        let (waiting, running) = self.mailbox.withLock { $0.close(with: error) }
        for (call, runner) in running {
            self.mesh.refuse(call, of: self.id, self.incarnation, with: error, mayHaveRun: true)
            runner.cancel()
        }
        for call in waiting { self.mesh.refuse(call, of: self.id, self.incarnation, with: error) }
        self.actor.withLock { $0.strong = nil }
    }

    /// Refuses what comes from now on; what waits still runs.
    func refuseFurther(with error: MeshError) { self.mailbox.withLock { $0.refuseFurther(with: error) } }

    /// Refuses what waits and what comes; what runs goes on.
    func refuseWaiting(with error: MeshError) {
        for call in self.mailbox.withLock({ $0.close(with: error).waiting }) {
            self.mesh.refuse(call, of: self.id, self.incarnation, with: error)
        }
    }

    /// Has a waiter resumed when no call waits or runs. Returns false when that is so now.
    func watchIdle(_ waiter: IdleWaiter) -> Bool {
        self.mailbox.withLock { mailbox in
            guard mailbox.watchIdle() else { return false }
            self.idleWaiters.withLock { $0.append(waiter) }
            return true
        }
    }

    private func becameIdle() {
        let waiters = self.idleWaiters.withLock { waiters in
            defer { waiters = [] }
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// A calling process is gone, or the way to it: nobody waits for its calls.
    ///
    /// - Parameter mayComeAgain: whether the calls that may be sent again are left alone.
    func forget(caller: PeerID, mayComeAgain: Bool) {
        let now = cmesh_monotonic_nanoseconds()
        let runners = self.mailbox.withLock { $0.forget(caller: caller, mayComeAgain: mayComeAgain, now: now) }
        for runner in runners { runner.cancel() }
    }

    /// The call that runs has done its work and waits before it answers: the next one may start.
    func release() {
        // What is stored is the state after one call or before it, never in the middle of another.
        guard self.keeper == nil else { return }
        if self.mailbox.withLock({ $0.release() }) { self.startRunner() }
    }

    private func startRunner() {
        MailboxRunner().start(on: self.mesh.executor) { await self.run($0) }
    }

    private func run(_ runner: MailboxRunner) async {
        let scratch = RunnerScratch()
        while true {
            switch self.mailbox.withLock({ $0.next(for: runner, now: cmesh_monotonic_nanoseconds()) }) {
            case .run(let call):
                await self.execute(call, scratch)
                self.mesh.outbox.flushIfStale()
            case .replace: return self.startRunner()
            case .end: return
            case .endIdle: return self.becameIdle()
            }
        }
    }

    // MARK: Calls run

    private func execute(_ call: InboundCall, _ scratch: RunnerScratch) async {
        defer { if call.isOneWay { self.completeOneWay(call) } }
        if call.deadline > 0, cmesh_monotonic_nanoseconds() >= call.deadline {
            let message =
                "\(call.target.label) of \(self.label) was still waiting when its deadline passed; it has not run."
            return self.conclude(call, with: MeshError(.deadlineExceeded, message))
        }
        guard self.mayAct else {
            return self.refuse(
                call, with: MeshError(.actorDied, "\(self.label) has ended: its process has lost its lease."))
        }
        guard let actor = self.instance else {
            return self.refuse(call, with: MeshError(.actorDied, "\(self.label) has ended."))
        }
        if let caller = call.origin?.id, let error = Permissions.refusal(of: call.target, on: actor, to: caller) {
            return self.conclude(call, with: error)
        }
        let span = self.id.isReserved ? nil : self.beginSpan(of: call)
        defer { span?.end() }
        let running = RunningCall(
            mesh: self.mesh, hosted: self, method: call.target.label, chain: call.context?.chain ?? [],
            origin: call.origin, span: span)
        let scope = MeshScope(call: running, deadline: call.deadline, mode: nil)
        guard let span else { return await self.run(call, on: actor, scratch, scope) }
        await ServiceContext.withValue(span.context) { await self.run(call, on: actor, scratch, scope) }
    }

    private func run(
        _ call: InboundCall, on actor: any DistributedActor, _ scratch: RunnerScratch, _ scope: MeshScope
    ) async {
        if self.keeper == nil, !call.mayComeAgain {
            await MeshScope.$current.withValue(scope) { await self.invoke(call, on: actor, scratch) }
        } else {
            await self.runHoldingAnswer(of: call, on: actor, scratch, scope)
        }
    }

    private func beginSpan(of call: InboundCall) -> (any Span)? {
        self.mesh.tracing?.begin(
            call.target.label, in: self, after: call.context?.trace ?? [:], isAwaited: !call.isOneWay)
    }

    /// Whether nobody can have begun another life of the actor.
    private var mayAct: Bool {
        !self.isOwned || self.id.isReserved || self.mesh.actingPermit.isValid { cmesh_monotonic_nanoseconds() }
    }

    /// Tells whoever asked last for a call that it has not run, and will not in this life.
    private func refuse(_ call: InboundCall, with error: MeshError) {
        let asker = self.mailbox.withLock { $0.refuse(call) }
        self.mesh.refuse(asker, of: self.id, self.incarnation, with: error)
    }

    /// Runs the method and answers the call.
    func invoke(_ call: InboundCall, on actor: any DistributedActor, _ scratch: RunnerScratch) async {
        do {
            var decoder = try CallDecoder(call: call, mesh: self.mesh)
            switch call.target.route {
            case .direct(let target):
                try decoder.expect(target.parameterCount)
                var sink = CallResultSink(call: call, actor: self, buffer: scratch.buffer)
                scratch.buffer.clear()
                try await target.execute(on: actor, decoder: &decoder, scratch: scratch.result, sink: &sink)
            case .standard:
                try await self.invokeStandard(call, on: actor, &decoder)
            case .unknown:
                throw CallFailure(
                    error: MeshError(
                        .typeNotFound,
                        "\(self.label) has no method \(call.target.label); "
                            + "the caller was built with another version of its type."))
            }
        } catch {
            self.mesh.reply(to: call, throwing: error, from: self)
        }
    }

    /// For the methods that the cache does not serve: generic ones, and those called through a protocol.
    private func invokeStandard(
        _ call: InboundCall, on actor: some DistributedActor, _ decoder: inout CallDecoder
    ) async throws {
        // The runtime would run a method of one actor type on an actor of another.
        guard !DispatchTarget.isDeclaredElsewhere(call.target.name, than: type(of: actor)) else {
            throw CallFailure(
                error: MeshError(.typeNotFound, "\(call.target.label) is no method of \(self.label)."))
        }
        try await self.mesh.executeDistributedTarget(
            on: actor,
            target: call.target.remoteCallTarget,
            invocationDecoder: &decoder,
            handler: CallResultHandler(call: call, actor: self)
        )
    }

    private func completeOneWay(_ call: InboundCall) {
        guard let completed = self.mailbox.withLock({ $0.completedOneWay(call) }) else { return }
        // What came by a link that was given up its sender does not count any more.
        guard call.origin?.receives(by: call.link) ?? true else { return }
        let credit = CreditEnvelope(actor: self.id, incarnation: self.incarnation, completed: completed)
        self.mesh.send(credit, to: call.origin)
    }
}
