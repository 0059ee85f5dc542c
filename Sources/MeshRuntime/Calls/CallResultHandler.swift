public import Distributed
import FoundationEssentials
import MeshCore
import MeshMessagePack

/// Sends a method's result back to its caller.
struct CallResultSink: DispatchResultSink {
    let call: InboundCall
    let actor: HostedActor
    let buffer: CallBuffer

    mutating func onReturn<Value: Codable>(_ value: Value) throws {
        self.actor.mesh.reply(to: self.call, with: value, from: self.actor, in: self.buffer)
    }

    mutating func onReturnVoid() throws { self.actor.mesh.replyVoid(to: self.call, in: self.buffer) }
}

/// Sends what a method returned or threw back to its caller.
public struct CallResultHandler: DistributedTargetInvocationResultHandler {
    /// Arguments and results are `Codable`.
    public typealias SerializationRequirement = any Codable

    private let call: InboundCall
    private let actor: HostedActor

    init(call: InboundCall, actor: HostedActor) {
        self.call = call
        self.actor = actor
    }

    /// Encodes and sends the result.
    public func onReturn<Success: Codable>(value: Success) async throws {
        self.actor.mesh.reply(to: self.call, with: value, from: self.actor, in: CallBuffer())
    }

    /// Sends that the method has ended.
    public func onReturnVoid() async throws {
        self.actor.mesh.replyVoid(to: self.call, in: CallBuffer())
    }

    /// Sends the error, as itself if it is `Codable`.
    public func onThrow<Failure: Error>(error: Failure) async throws {
        self.actor.mesh.reply(to: self.call, throwing: error, from: self.actor)
    }
}
