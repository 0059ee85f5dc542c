import Distributed
import Synchronization

/// A distributed method that was called here, by the name that callers use.
final class CallTarget: Sendable {
    let name: String

    init(name: String) { self.name = name }

    var remoteCallTarget: RemoteCallTarget { RemoteCallTarget(self.name) }

    /// For people: `Account.deposit(_:)`.
    var label: String { Self.label(of: self.remoteCallTarget) }

    static func label(of target: RemoteCallTarget) -> String {
        // The standard library's description is `Module.Type.method(labels:)`, or the mangled name if it cannot tell.
        let text = target.description
        guard let dot = text.firstIndex(of: "."), !text.hasPrefix("$") else { return text }
        return String(text[text.index(after: dot)...])
    }
}

/// All methods that were called here. Bounded, because names come from peers.
final class CallTargets: Sendable {
    private let targets = Mutex<[String: CallTarget]>([:])
    private static let capacity = 16_384

    func target(named name: String) -> CallTarget {
        self.targets.withLock { targets in
            if let known = targets[name] { return known }
            let target = CallTarget(name: name)
            if targets.count < Self.capacity { targets[name] = target }
            return target
        }
    }
}
