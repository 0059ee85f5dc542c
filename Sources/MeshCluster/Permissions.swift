package import MeshCore
import MeshRuntime

// Whom the actors of the mesh itself work for, besides members.

extension Broker: RoleGuarded {
    package static func permits(_ method: String, to role: MeshRole) -> Bool {
        let looks: Set = [
            "join", "heartbeat", "find", "locate", "termination", "events", "report", "actors", "nodes", "findGroup",
            "actorPage", "endedActors", "details", "overview", "tasks", "statistics", "calls",
        ]
        let acts: Set = [
            "spawn", "kill", "stop", "leaseWorker", "leaseResources", "addGroup", "removeGroup", "collectOutput",
        ]
        return looks.contains(method) || role == .driver && acts.contains(method)
    }
}

extension NodeAgent: RoleGuarded {
    package static func permits(_ method: String, to role: MeshRole) -> Bool {
        role == .driver && ["returnWorker", "endLease"].contains(method)
    }
}

extension WorkerAgent: RoleGuarded {
    package static func permits(_ method: String, to role: MeshRole) -> Bool {
        role == .driver && ["run", "awaitStreams", "endStreams"].contains(method)
    }
}
