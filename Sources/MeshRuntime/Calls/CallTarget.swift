import Distributed
import Synchronization

/// A distributed method that was called here, by the name that callers use.
final class CallTarget: Sendable {
    let name: String
    let route: DispatchRoute
    /// For people: `Account.deposit(_:)`.
    let label: String

    init(name: String, route: DispatchRoute) {
        self.name = name
        self.route = route
        self.label = Self.label(of: RemoteCallTarget(name))
    }

    var remoteCallTarget: RemoteCallTarget { RemoteCallTarget(self.name) }

    static func label(of target: RemoteCallTarget) -> String {
        // The standard library's description is `Module.Type.method(labels:)`, or the mangled name if it cannot tell.
        let text = target.description
        guard let dot = text.firstIndex(of: "."), !text.hasPrefix("$") else { return text }
        return String(text[text.index(after: dot)...])
    }
}

/// All methods that were called here. The program's own methods bound it: names of peers that mean nothing here are
/// not kept.
final class CallTargets: Sendable {
    private let targets = Mutex<[String: CallTarget]>([:])
    private let routes = DispatchTable()

    func target(named name: String) -> CallTarget {
        if let known = self.targets.withLock({ $0[name] }) { return known }
        let target = CallTarget(name: name, route: self.routes.route(for: name))
        if case .unknown = target.route { return target }
        return self.targets.withLock { targets in
            if let known = targets[name] { return known }
            targets[name] = target
            return target
        }
    }
}
