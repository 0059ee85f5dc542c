public import Distributed
package import MeshCore

/// An actor that holders of an observer's key may look at.
///
/// An observer may list actors and nodes, and call what actors name here; everything else of theirs it may not call.
///
/// ```swift
/// extension Progress: ObservableActor {
///     static var observableMethods: Set<String> { ["percent()", "stream()"] }
/// }
/// ```
public protocol ObservableActor: DistributedActor where ActorSystem == Mesh {
    /// The methods that observers may call, with the labels of their parameters, such as `entries(since:)`. They should
    /// only read.
    static var observableMethods: Set<String> { get }
}

/// A well-known actor, which says for whom it works besides members.
package protocol RoleGuarded: DistributedActor {
    /// Whether the holder of a driver's or an observer's key may call a method, by its name without labels.
    static func permits(_ method: String, to role: MeshRole) -> Bool
}

enum Permissions {
    /// Why a caller may not call a method of an actor; nil when it may.
    static func refusal(of target: CallTarget, on actor: any DistributedActor, to caller: PeerID) -> MeshError? {
        let role = caller.role
        // Nearly all calls are members'.
        guard role != .member else { return nil }
        let type = Swift.type(of: actor)
        let method = target.label.firstIndex(of: ".").map { target.label[target.label.index(after: $0)...] } ?? ""
        let isPermitted: Bool
        switch (role, type) {
        case (.member, _): isPermitted = true
        case (_, let service as any RoleGuarded.Type):
            isPermitted = service.permits(String(method.prefix { $0 != "(" }), to: role)
        case (.driver, _): isPermitted = !((actor.id as? ActorID)?.reference.id.isReserved ?? true)
        case (.observer, let type as any ObservableActor.Type):
            // Only what is known to be a method of this very type.
            guard case .direct = target.route else { fallthrough }
            isPermitted = type.observableMethods.contains(String(method))
        case (.observer, _): isPermitted = false
        }
        guard !isPermitted else { return nil }
        let rights =
            role == .driver
            ? "a driver's key, who may spawn, call and kill actors"
            : "an observer's key, who may list actors and nodes and tail collectors"
        return MeshError(.unauthorized, "\(target.label) is not for the holder of \(rights).")
    }
}

extension CallOrigin {
    /// Whether the caller may speak for a process: a member may for any, others only for themselves.
    package static func maySpeak(for peer: PeerID) -> Bool {
        guard let caller = Self.current?.peer, caller.role != .member else { return true }
        return caller == peer
    }

    /// - Throws: `unauthorized` when the caller may not speak for a process.
    package static func requireSpeaking(for peer: PeerID?) throws(MeshError) {
        guard let peer, !Self.maySpeak(for: peer) else { return }
        throw MeshError(.unauthorized, "A process with such a key cannot speak for process \(peer).")
    }
}
