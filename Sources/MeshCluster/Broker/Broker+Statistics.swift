import Distributed
import FoundationEssentials
package import MeshCore
package import MeshRuntime

/// What the processes of the mesh have done.
extension Broker {
    /// How long a node or a driver may take to say what it has done; what a node asks its workers takes half of that.
    static let patienceForStatistics = Duration.seconds(1)

    package distributed func statistics() async throws -> MeshStatistics {
        let date = Date()
        let gathered = await self.gather(NodeStatistics.self) { node in
            try await node.statistics()
        } others: { host, peer in
            NodeStatistics(processes: [try await host.statistics().said(by: peer)])
        }
        var seen: Set<PeerID> = []
        let processes = gathered.answers.flatMap(\.processes).filter { seen.insert($0.peer).inserted }
        return MeshStatistics(
            date: date, processes: processes.sorted { $0.rank < $1.rank },
            silent: gathered.silent + gathered.answers.flatMap(\.silent))
    }

    /// The calls that run or wait anywhere and concern an actor: those to it and those that it awaits.
    package distributed func calls(concerning actor: UniqueID) async throws -> [CallInfo] {
        let gathered = await self.gather([CallInfo].self) { node in
            try await node.calls(concerning: actor)
        } others: { host, peer in
            // Nobody calls what lives with an observer.
            peer.role == .observer ? [] : try await host.calls(concerning: actor)
        }
        return gathered.answers.flatMap { $0 }
    }

    /// Asks the nodes, and the members that are none. What does not answer in time is named.
    private func gather<Answer: Sendable>(
        _ type: Answer.Type, nodes: @escaping @Sendable (NodeAgent) async throws -> Answer,
        others: @escaping @Sendable (StatisticsHost, PeerID) async throws -> Answer
    ) async -> (answers: [Answer], silent: [String]) {
        let mesh = self.actorSystem
        let members = [mesh.address] + self.members.values.map(\.address).filter { $0.peer != mesh.address.peer }
        return await withTaskGroup(of: (PeerAddress, Answer?).self) { group in
            for address in members {
                let node = self.registry.nodes[address.peer] == nil ? nil : try? self.node(address.peer)
                group.addTask {
                    let answer = try? await mesh.withDeadline(Self.patienceForStatistics) {
                        if let node { return try await nodes(node) }
                        let host = try mesh.service(StatisticsHost.self, WellKnown.statistics, at: address)
                        return try await others(host, address.peer)
                    }
                    return (address, answer)
                }
            }
            var (answers, silent): ([Answer], [String]) = ([], [])
            for await (address, answer) in group {
                if let answer { answers.append(answer) } else { silent.append("process \(address.processID)") }
            }
            return (answers, silent.sorted())
        }
    }
}

/// What the processes of a node have done.
package struct NodeStatistics: Hashable, Sendable, Codable {
    package var processes: [ProcessStatistics]
    package var silent: [String] = []
}

extension ProcessStatistics {
    /// In which order processes are told.
    fileprivate var rank: (Int, String, Int, Int32) {
        switch self.role {
        case .broker: (0, "", 0, self.processID)
        case .node: (1, self.node, 0, self.processID)
        case .worker: (1, self.node, 1, self.processID)
        case .driver: (2, "", 0, self.processID)
        }
    }
}
