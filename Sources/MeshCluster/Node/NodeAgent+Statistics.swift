import Distributed
package import MeshCore
package import MeshRuntime

/// What this node and its workers have done.
extension NodeAgent {
    package distributed func statistics() async throws -> NodeStatistics {
        let own = try await self.statisticsHost(at: self.mesh.address).statistics()
        let workers = await self.askWorkers { try await $0.statistics() }
        let processes = ([own] + workers.answers).map { process in
            var process = process
            process.node = self.registration.name
            return process
        }
        return NodeStatistics(processes: processes, silent: workers.silent)
    }

    /// The calls of this node's processes to an actor, and those that it awaits.
    package distributed func calls(concerning actor: UniqueID) async throws -> [CallInfo] {
        let own = try await self.statisticsHost(at: self.mesh.address).calls(concerning: actor)
        return await own + self.askWorkers { try await $0.calls(concerning: actor) }.answers.flatMap { $0 }
    }

    private func statisticsHost(at address: PeerAddress) throws -> StatisticsHost {
        try self.mesh.service(StatisticsHost.self, WellKnown.statistics, at: address)
    }

    private func askWorkers<Answer: Sendable>(
        _ question: @escaping @Sendable (StatisticsHost) async throws -> Answer
    ) async -> (answers: [Answer], silent: [String]) {
        let (mesh, node) = (self.mesh, self.registration.name)
        return await withTaskGroup(of: (Int32, Answer?).self) { group in
            for worker in self.workers.values {
                guard let host = try? self.statisticsHost(at: worker.address) else { continue }
                let process = worker.address.processID
                group.addTask {
                    let answer = try? await mesh.withDeadline(Broker.patienceForStatistics / 2) {
                        try await question(host)
                    }
                    return (process, answer)
                }
            }
            var (answers, silent): ([Answer], [String]) = ([], [])
            for await (process, answer) in group {
                if let answer { answers.append(answer) } else { silent.append("worker \(process) of node \(node)") }
            }
            return (answers, silent.sorted())
        }
    }
}
