import MeshCore
import Tracing

/// What the code that runs now inherits: which call it is part of, until when it may take, and how its calls go out.
///
/// One task-local value for all of it, since every call reads it.
package final class MeshScope: Sendable {
    @TaskLocal package static var current: MeshScope?

    /// The call that runs, when an actor's method or a task does.
    let call: RunningCall?
    /// When to give up, in nanoseconds of the monotonic clock; 0 for never.
    let deadline: UInt64
    /// Set inside of `submit` and `tell`.
    let mode: CallMode?

    init(call: RunningCall?, deadline: UInt64, mode: CallMode?) {
        self.call = call
        self.deadline = deadline
        self.mode = mode
    }
}

extension MeshScope {
    /// The same scope, inside of `submit`.
    package static func submitting(_ result: PendingResult) -> MeshScope {
        let present = self.current
        return MeshScope(call: present?.call, deadline: present?.deadline ?? 0, mode: .submit(result))
    }

    /// The same scope, inside of `tell`.
    package static func telling(_ policy: BackPressure) -> MeshScope {
        let present = self.current
        return MeshScope(call: present?.call, deadline: present?.deadline ?? 0, mode: .tell(policy: policy))
    }

    /// The same scope with a deadline, if that is earlier.
    package static func until(_ deadline: UInt64) -> MeshScope {
        let present = self.current?.deadline ?? 0
        return MeshScope(
            call: self.current?.call, deadline: present == 0 ? deadline : min(present, deadline),
            mode: self.current?.mode)
    }
}

extension MeshScope {
    /// Lets the actor's next call start, because the one that runs will touch the actor's state no more: it only waits
    /// before it answers, which keeps its caller waiting but nobody else.
    package static func releaseMailbox() { self.current?.call?.hosted?.release() }

    /// The scope of a task that an agent runs, so that the task's calls name it and not the agent.
    ///
    /// - Parameters:
    ///   - task: its type.
    ///   - owner: whose children the task's actors are: those of whoever submitted it.
    ///   - streams: takes note of the streams that the task writes for others.
    package static func running(
        _ method: String, of task: String, for owner: ActorOwner, _ streams: TaskStreams
    ) -> MeshScope? {
        guard let scope = self.current, let call = scope.call else { return nil }
        let running = RunningCall(
            mesh: call.mesh, hosted: call.hosted, method: method, chain: call.chain, origin: call.origin, task: task,
            owner: owner, streams: streams)
        return MeshScope(call: running, deadline: scope.deadline, mode: scope.mode)
    }

    /// The same scope, inside of an initialiser: what it awaits must not wait for the actor that it makes.
    static func making(_ birth: Birth) -> MeshScope? {
        guard let scope = self.current, let call = scope.call else { return self.current }
        let chain = call.chainForCalls + [ChainLink(actor: birth.id, method: birth.label)]
        let making = RunningCall(mesh: call.mesh, hosted: nil, method: birth.label, chain: chain, origin: call.origin)
        return MeshScope(call: making, deadline: scope.deadline, mode: nil)
    }
}

/// A call that an actor or a task runs.
package final class RunningCall: Sendable {
    let mesh: Mesh
    let hosted: HostedActor?
    let method: String
    /// The actors that wait for this call.
    let chain: [ChainLink]
    /// The calling process; nil for this one.
    let origin: Peer?
    /// The type of the task that it is; nil for an actor's.
    let task: String?
    /// Whose children the actors are that it spawns, when not the actor's that runs it.
    let owner: ActorOwner?
    /// Traces it; nil when the program has no tracer.
    let span: (any Span)?
    /// The streams that a task writes for others; nil for an actor, which lives as long as its streams are read.
    let streams: TaskStreams?

    init(
        mesh: Mesh, hosted: HostedActor?, method: String, chain: [ChainLink], origin: Peer? = nil,
        task: String? = nil, owner: ActorOwner? = nil, span: (any Span)? = nil, streams: TaskStreams? = nil
    ) {
        self.span = span
        self.task = task
        self.owner = owner
        self.streams = streams
        self.mesh = mesh
        self.origin = origin
        self.hosted = hosted
        self.method = method
        self.chain = chain
    }

    /// The chain as calls made from here carry it.
    var chainForCalls: [ChainLink] {
        guard let hosted else { return self.chain }
        return self.chain + [ChainLink(actor: hosted.id, method: self.method)]
    }
}

/// How the calls inside of `submit` and `tell` go out.
package enum CallMode: Sendable {
    /// Tell `submit` when the call has been accepted.
    case submit(PendingResult)
    /// No reply travels.
    case tell(policy: BackPressure)
}

/// Thrown through a user's `tell` closure when its call has a result, which does not travel.
package struct AcceptedOneWay: Error {}
