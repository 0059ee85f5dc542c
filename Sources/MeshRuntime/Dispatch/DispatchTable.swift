import Synchronization

/// How the target with a name is run.
package enum DispatchRoute: Sendable {
    /// Run it with ``DispatchTarget/execute(on:decoder:scratch:sink:)``.
    case direct(DispatchTarget)

    /// It exists, but needs what only the call knows, such as generic arguments, or is a method of a private
    /// actor: run it with `executeDistributedTarget`, which does not check that the actor declares it.
    case standard

    /// The program has no distributed target with this name. Names come from other processes, so answer
    /// the call with an error; `executeDistributedTarget` would demangle the name before it finds out.
    case unknown
}

/// The routes of the targets that were called so far. Safe to use from any thread.
///
/// The program's own targets bound its size: a name that is not one of them is not kept.
package final class DispatchTable: Sendable {
    private let routes = Mutex<[String: DispatchRoute]>([:])

    package init() {}

    /// The route for a target's identifier. Hashes the name, so a caller with something cheaper to look up,
    /// such as the number that a connection gave the name, keeps the result under that.
    package func route(for identifier: String) -> DispatchRoute {
        if let known = routes.withLock({ $0[identifier] }) {
            return known
        }
        // Found outside the lock, because demangling takes microseconds; two threads may find the same.
        let found = DispatchTarget.route(finding: identifier)
        if case .unknown = found {
            return found
        }
        return routes.withLock { routes in
            if let earlier = routes[identifier] {
                return earlier
            }
            routes[identifier] = found
            return found
        }
    }
}
