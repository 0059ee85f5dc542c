import MeshCluster
import MeshCore
import MeshRuntime

/// A message on its way.
struct Letter {
    var sender: PeerID
    var receiver: PeerID
    /// The life of the broker that it comes from or goes to.
    var era: Int
    var message: Message
}

extension Letter: CustomStringConvertible {
    var description: String { "\(self.sender.name) → \(self.receiver.name): \(self.message)" }
}

enum Message {
    case question(UInt64, Question)
    case answer(UInt64, Answer)
    /// Handles of an actor, and that their receiver holds it.
    case handle(UInt64, UniqueID)
    case held(UInt64)
}

enum Question {
    // Of the broker, by processes.
    case spawn(ActorSpec, isHeld: Bool)
    case find(String)
    case kill(UniqueID, restart: Bool)
    case stop(UniqueID, within: UInt64)
    case locate(UniqueID, after: UInt64)
    case termination(UniqueID)
    case report(HoldChanges)
    case join
    case leave
    // Of the broker, by nodes.
    case register([HostedSpec], [PeerID])
    case exited(ActorLife)
    case workerEnded(PeerID)
    // Of nodes, by the broker.
    case start(ActorSpec)
    case end(ActorLife, EndMode)
    case awaitIdle(ActorLife)
    case decide(ActorLife)
}

enum Answer {
    case done
    case refused(String)
    case handle(UniqueID, isCounted: Bool)
    case nothing
    case located(UInt64)
    case termination(ActorTermination.Cause?)
    case reported(ended: [UniqueID])
    case started(PeerID)
    case failed
    case crashed
    case isHeld(Bool)
    case decision(Supervision.Decision)
}

extension Question {
    var givesHandle: Bool {
        switch self {
        case .find, .spawn(_, isHeld: true): true
        default: false
        }
    }
}

extension Question: CustomStringConvertible {
    var description: String {
        switch self {
        case .spawn(let spec, _): "spawn \(spec.text)"
        case .find(let name): "find \(name)"
        case .kill(let id, let restart): "kill \(id.name)\(restart ? " to restart" : "")"
        case .stop(let id, let time): "stop \(id.name) within \(time / 1_000_000) ms"
        case .locate(let id, let life): "locate \(id.name) after \(life)"
        case .termination(let id): "termination of \(id.name)"
        case .report(let changes):
            "report\(changes.isComplete ? " all" : "") +\(changes.acquired.map(\.name)) "
                + "-\(changes.released.map { "\($0.actor.name)×\($0.grants)" })"
        case .join: "join"
        case .leave: "leave"
        case .register(let actors, let workers):
            "register \(actors.map { "\($0.spec.id.name).\($0.spec.incarnation)" }) \(workers.map(\.name))"
        case .exited(let life): "exited \(life.name)"
        case .workerEnded(let worker): "worker \(worker.name) ended"
        case .start(let spec): "start \(spec.text)"
        case .end(let life, let mode): "end \(life.name) \(mode)"
        case .awaitIdle(let life): "await idle \(life.name)"
        case .decide(let life): "decide about \(life.name)"
        }
    }
}

extension Answer: CustomStringConvertible {
    var description: String {
        switch self {
        case .done: "done"
        case .refused(let why): "refused: \(why)"
        case .handle(let id, let isCounted): "\(isCounted ? "" : "weak ")handle of \(id.name)"
        case .nothing: "nothing"
        case .located(let life): "located in life \(life)"
        case .termination(let cause): "ended: \(cause.map { "\($0)" } ?? "unknown")"
        case .reported(let ended): "reported\(ended.isEmpty ? "" : ", ended: \(ended.map(\.name))")"
        case .started(let worker): "started in \(worker.name)"
        case .failed: "failed"
        case .crashed: "crashed"
        case .isHeld(let isHeld): "is \(isHeld ? "" : "not ")held"
        case .decision(let decision): "\(decision)"
        }
    }
}

extension Message: CustomStringConvertible {
    var description: String {
        switch self {
        case .question(let number, let question): "#\(number) \(question)"
        case .answer(let number, let answer): "#\(number) = \(answer)"
        case .handle(let number, let actor): "handle \(number) of \(actor.name)"
        case .held(let number): "held \(number)"
        }
    }
}

extension PeerID {
    var name: String { self == .broker ? "broker" : "p\(self.number)" }
}

extension UniqueID {
    var name: String { "a\(self.low)" }
}

extension ActorLife {
    var name: String { "\(self.id.name).\(self.incarnation)" }
}

extension ActorSpec {
    var life: ActorLife { ActorLife(id: self.id, incarnation: self.incarnation) }

    /// For the history.
    var text: String {
        var parts = [self.life.name]
        if let name = self.options.name { parts.append("\"\(name)\"") }
        if self.isDetached { parts.append("detached") }
        if self.options.maxRestarts != 0 { parts.append("restarts \(self.options.maxRestarts)") }
        if let supervision = self.options.supervision {
            parts.append("\(supervision.strategy) ≤\(supervision.maxRestarts)\(self.isSupervisor ? " decides" : "")")
        }
        if self.options.placement == .shared { parts.append("shared") }
        parts.append("of \(self.owner.actor.map { "\($0.name).\(self.owner.incarnation)" } ?? self.owner.process.name)")
        return parts.joined(separator: " ")
    }
}
