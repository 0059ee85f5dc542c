import ActorMesh
import MeshCore

/// What a mesh has done since somebody began to look, in numbers that only grow. A value.
///
/// Processes and actors come and go, and what they count goes with them. Prometheus takes a number that falls for one that
/// began anew, and counts it a second time. So what each has counted since the last look is added up here.
struct MetricTotals {
    /// What was counted of the actors of one type.
    struct Calls: Equatable {
        var calls: UInt64 = 0
        var failures: UInt64 = 0
        var seconds = 0.0
        var latencies = LatencyHistogram()
    }

    /// What was counted of the processes of one role of a node.
    struct Traffic: Equatable {
        var processorSeconds = 0.0
        var bytesSent: UInt64 = 0
        var bytesReceived: UInt64 = 0
        var reconnects: UInt64 = 0
        var messagesRejected: UInt64 = 0
        var connectionsCut: UInt64 = 0
        var keysRefused: UInt64 = 0
    }

    /// The processes of one role of a node.
    struct Group: Hashable {
        var node: String
        var role: ProcessStatistics.Role
    }

    private struct Life: Hashable {
        var actor: UniqueID
        var incarnation: UInt64
    }

    /// What a process has counted so far.
    private struct Seen {
        var process: ProcessStatistics
        var lives: [Life: ActorStatistics]
        /// In how many looks since then it was missing.
        var misses = 0

        var missed: Seen {
            var seen = self
            seen.misses += 1
            return seen
        }
    }

    private(set) var calls: [String: Calls] = [:]
    private(set) var traffic: [Group: Traffic] = [:]
    private var seen: [PeerID: Seen] = [:]
    /// So many types are told apart; the others are counted together.
    private static let mostTypes = 200
    static let otherTypes = "(other)"
    /// A process that is missing may only have been silent: so many looks later it is forgotten.
    private static let patience = 10

    /// Adds what has come since the last look.
    mutating func add(_ statistics: MeshStatistics) {
        for (peer, seen) in self.seen { self.seen[peer] = seen.misses < Self.patience ? seen.missed : nil }
        for process in statistics.processes {
            let before = self.seen[process.peer]
            self.add(process, since: before?.process)
            var lives: [Life: ActorStatistics] = [:]
            for actor in process.actors {
                let life = Life(actor: actor.id, incarnation: actor.incarnation)
                self.add(actor, since: before?.lives[life])
                lives[life] = actor
            }
            self.seen[process.peer] = Seen(process: process, lives: lives)
        }
    }

    private mutating func add(_ actor: ActorStatistics, since before: ActorStatistics?) {
        let isKnown = self.calls[actor.typeName] != nil || self.calls.count < Self.mostTypes
        let type = isKnown ? actor.typeName : Self.otherTypes
        var calls = self.calls[type] ?? Calls()
        calls.calls += Self.added(actor.calls, before?.calls)
        calls.failures += Self.added(actor.failures, before?.failures)
        calls.seconds += max(0, (actor.busy - (before?.busy ?? .zero)) / .seconds(1))
        calls.latencies.add(actor.latencies.since(before?.latencies))
        self.calls[type] = calls
    }

    private mutating func add(_ process: ProcessStatistics, since before: ProcessStatistics?) {
        let group = Group(node: process.node, role: process.role)
        var traffic = self.traffic[group] ?? Traffic()
        // One that goes round begins anew, as Prometheus understands it: what a driver counts can be anything.
        traffic.processorSeconds += max(0, (process.processorTime - (before?.processorTime ?? .zero)) / .seconds(1))
        traffic.bytesSent &+= Self.added(process.bytesSent, before?.bytesSent)
        traffic.bytesReceived &+= Self.added(process.bytesReceived, before?.bytesReceived)
        traffic.reconnects &+= Self.added(process.reconnects, before?.reconnects)
        traffic.messagesRejected &+= Self.added(process.messagesRejected, before?.messagesRejected)
        traffic.connectionsCut &+= Self.added(process.connectionsCut, before?.connectionsCut)
        traffic.keysRefused &+= Self.added(process.keysRefused, before?.keysRefused)
        self.traffic[group] = traffic
    }

    private static func added(_ now: UInt64, _ before: UInt64?) -> UInt64 { now - min(now, before ?? 0) }
}
