import Distributed
import FoundationEssentials
package import MeshCore
package import MeshRuntime

/// What there is, for those who look.
extension Broker {
    package distributed func actors() async throws -> [ActorInfo] {
        self.registry.entries.values.map { self.registry.info($0) }.sorted {
            ($0.name ?? "~", $0.typeName, $0.id.description) < ($1.name ?? "~", $1.typeName, $1.id.description)
        }
    }

    /// A part of the actors, see ``ActorQuery``.
    package distributed func actorPage(matching query: ActorQuery) async throws -> ActorPage {
        self.registry.actors(matching: query)
    }

    /// A part of those that have ended.
    package distributed func endedActors(matching query: ActorQuery) async throws -> EndedActorPage {
        self.registry.endedActors(matching: query)
    }

    /// Everything about one actor; nil when it is not known.
    package distributed func details(of actor: UniqueID) async throws -> ActorDetails? {
        var details = self.registry.details(of: actor)
        for index in details?.holders.indices ?? 0..<0
        where details?.holders[index].process == self.actorSystem.address.peer {
            details?.holders[index].isBroker = true
        }
        return details
    }

    /// What there is, in numbers.
    package distributed func overview() async throws -> MeshOverview {
        self.registry.overview(date: Date(), startDate: self.startDate) { self.address(of: $0)?.processID }
    }

    package distributed func nodes() async throws -> [NodeInfo] {
        let objects = await self.askNodes { try await $0.objectUsage() }
        return self.registry.nodes.map { id, node in
            NodeInfo(
                name: node.registration.name, programs: node.registration.programs,
                processID: node.registration.address.processID, endpoints: node.registration.address.endpoints,
                resources: node.pool.total.resources, used: node.pool.used.resources, actors: node.actors.count,
                objects: objects[id])
        }.sorted { $0.name < $1.name }
    }

    /// The workers that run tasks, and what they run.
    package distributed func tasks() async throws -> TaskListing {
        let answers = await self.askNodes { try await $0.taskWorkers() }
        let silent = self.registry.nodes.filter { answers[$0.key] == nil }.map(\.value.registration.name)
        return TaskListing(
            workers: answers.values.flatMap { $0 }.sorted { ($0.node, $0.processID) < ($1.node, $1.processID) },
            waiting: self.wantedWorkers + self.registry.leases.values.count { $0.node == nil },
            silentNodes: silent.sorted())
    }

    /// Waits until the collector has what workers have said by now, on the nodes that answer in time.
    package distributed func collectOutput() async { _ = await self.askNodes { try await $0.collectOutput() } }

    /// What the nodes say that answer in time.
    private func askNodes<Answer: Sendable>(
        _ question: @escaping @Sendable (NodeAgent) async throws -> Answer
    ) async -> [PeerID: Answer] {
        let mesh = self.actorSystem
        return await withTaskGroup(of: (PeerID, Answer?).self) { group in
            for id in self.registry.nodes.keys {
                guard let node = try? self.node(id) else { continue }
                group.addTask {
                    (id, try? await mesh.withDeadline(Self.patienceWithNodes) { try await question(node) })
                }
            }
            var answers: [PeerID: Answer] = [:]
            for await (id, answer) in group { answers[id] = answer }
            return answers
        }
    }

    private static let patienceWithNodes = Duration.milliseconds(500)
}

extension NodeAgent {
    /// The workers that are out to run tasks, and what they run, as far as they say so in time.
    package distributed func taskWorkers() async throws -> [TaskListing.Worker] {
        let mesh = self.mesh
        let name = self.registration.name
        return try await withThrowingTaskGroup(of: TaskListing.Worker.self) { group in
            for (id, worker) in self.workers {
                guard let submitter = worker.leasedBy else { continue }
                let agent = try self.agent(id)
                group.addTask {
                    let running = try? await mesh.withDeadline(Self.patienceWithWorkers) {
                        try await agent.runningTasks()
                    }
                    return TaskListing.Worker(
                        node: name, processID: worker.address.processID, submitter: submitter,
                        resources: worker.taskLease?.resources, gpuIDs: worker.taskLease?.gpuIDs ?? [],
                        running: running)
                }
            }
            var workers: [TaskListing.Worker] = []
            for try await worker in group { workers.append(worker) }
            return workers
        }
    }

    private static let patienceWithWorkers = Duration.milliseconds(250)
}
