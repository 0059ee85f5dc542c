import ActorMesh
public import FoundationEssentials
import MeshCore
import MeshRuntime

/// What the dashboard's JSON API says, version 1: `GET /api/v1/…`. Times are ISO 8601 in UTC, memory is in bytes, IDs
/// are hexadecimal digits. A later version may have more keys; readers should pass over those that they do not know.
public enum DashboardAPI {
    /// `GET /api/v1/overview`
    public struct Overview: Hashable, Sendable, Codable {
        /// When this was so.
        public var date: Date
        /// Since when the broker runs.
        public var startDate: Date
        /// How many actors there are.
        public var actors: Int
        /// How many actors there are in each state; only those that are not 0.
        public var states: [String: Int]
        /// How many actors there are of each type; at most 50 types.
        public var types: [String: Int]
        /// How many ended actors the broker remembers.
        public var ended: Int
        /// How many nodes there are.
        public var nodes: Int
        /// What all nodes have.
        public var resources: Amounts
        /// What of that is used.
        public var used: Amounts
        /// How many objects somebody has a reference to that is not their owner.
        public var sharedObjects: Int
        /// How many placement groups there are.
        public var placementGroups: Int
    }

    /// Amounts of resources.
    public struct Amounts: Hashable, Sendable, Codable {
        /// Processor cores.
        public var cpus: Double
        /// GPUs.
        public var gpus: Double
        /// Bytes.
        public var memory: Int64
        /// Others, by their names.
        public var custom: [String: Double]
    }

    /// One of `GET /api/v1/nodes`.
    public struct Node: Hashable, Sendable, Codable {
        /// Its name.
        public var name: String
        /// The process number of its agent.
        public var pid: Int32
        /// The programs whose actors and tasks it can run.
        public var programs: [String]
        /// Where its agent is reached.
        public var endpoints: [String]
        /// What it has.
        public var resources: Amounts
        /// What of that is used.
        public var used: Amounts
        /// How many actors live on it.
        public var actors: Int
        /// Its store of large objects; not there when it did not say so in time.
        public var objects: Objects?
    }

    /// A node's store of large objects.
    public struct Objects: Hashable, Sendable, Codable {
        /// How many it has.
        public var count: Int
        /// Bytes of memory that they take.
        public var bytes: Int
        /// Bytes of memory that they may take.
        public var budget: Int
        /// Bytes that are on disk.
        public var bytesOnDisk: Int
    }

    /// `GET /api/v1/actors`
    public struct Actors: Hashable, Sendable, Codable {
        /// A page of them.
        public var actors: [Actor]
        /// How many the query found.
        public var matching: Int
        /// How many there are.
        public var total: Int
        /// How many were passed over.
        public var offset: Int
        /// At most how many are on a page.
        public var limit: Int
    }

    /// An actor that is there. Its keys are those of `mesh actors --format json`.
    public struct Actor: Hashable, Sendable, Codable {
        /// Its number.
        public var id: String
        /// Its type.
        public var type: String
        /// Its name.
        public var name: String?
        /// The namespace of its name.
        public var namespace: String
        /// pending, starting, alive, restarting, ending.
        public var state: String
        /// The node that it lives on; empty for none.
        public var node: String
        /// Its process; 0 for none.
        public var pid: Int32
        /// Its life, counted from 1.
        public var incarnation: UInt64
        /// process, shared.
        public var placement: String
        /// owned, detached.
        public var lifetime: String
        /// The actor that spawned it.
        public var owner: String?
        /// How often it was started again.
        public var restarts: Int
        /// How many processes have handles to it.
        public var holders: Int
        /// How many actors it has spawned that are there.
        public var children: Int
        /// What it waits for.
        public var waitsFor: String?
        /// What it asked for.
        public var resources: Amounts?
        /// The GPUs of its node that it has.
        public var gpuIDs: [Int]
    }

    /// `GET /api/v1/ended`
    public struct EndedActors: Hashable, Sendable, Codable {
        /// A page of them, the last first.
        public var ended: [EndedActor]
        /// How many the query found.
        public var matching: Int
        /// How many the broker remembers.
        public var total: Int
        /// How many were passed over.
        public var offset: Int
        /// At most how many are on a page.
        public var limit: Int
    }

    /// An actor that has ended.
    public struct EndedActor: Hashable, Sendable, Codable {
        /// Its number.
        public var id: String
        /// Its type.
        public var type: String
        /// Its name.
        public var name: String?
        /// The namespace of its name.
        public var namespace: String
        /// Its last life, counted from 1.
        public var incarnation: UInt64
        /// released, exited, stopped, killed, ownerDied, processCrashed, outOfMemory, nodeLost, restartsExhausted,
        /// constructorFailed, notPlaced, unknown.
        public var cause: String
        /// What happened, in words.
        public var message: String
        /// The node that it lived on last.
        public var node: String
        /// When.
        public var date: Date
        /// The signal that ended its process.
        public var signal: Int32?
        /// The status with which its process exited.
        public var exitStatus: Int32?
        /// The last lines that its process wrote.
        public var lastOutput: [String]
    }

    /// `GET /api/v1/actors/ID`: one of the two.
    public struct ActorState: Hashable, Sendable, Codable {
        /// The actor, when it is there.
        public var actor: Actor?
        /// How it ended, when it is not.
        public var ended: EndedActor?
    }

    /// `GET /api/v1/tasks`
    public struct Tasks: Hashable, Sendable, Codable {
        /// The workers that are out to run tasks.
        public var workers: [Worker]
        /// How many requests for workers with resources wait.
        public var waiting: Int
        /// The nodes that did not say in time what they run.
        public var silentNodes: [String]
    }

    /// A worker that runs tasks.
    public struct Worker: Hashable, Sendable, Codable {
        /// Its node.
        public var node: String
        /// Its process.
        public var pid: Int32
        /// The process that submits the tasks.
        public var submitter: String
        /// What it runs; not there when it did not say so in time.
        public var running: [Task]?
    }

    /// A task that runs.
    public struct Task: Hashable, Sendable, Codable {
        /// Its number.
        public var id: String
        /// Its type.
        public var type: String
        /// Since when.
        public var startDate: Date
    }

    /// One of the events of `GET /api/v1/events`, a stream of server-sent events.
    public struct Event: Hashable, Sendable, Codable {
        /// actorStarted, actorRestarting, actorEnded, nodeJoined, nodeLost.
        public var kind: String
        /// When.
        public var date: Date
        /// The actor or the node, for people.
        public var subject: String
        /// The actor's number.
        public var actor: String?
        /// What happened, in words.
        public var message: String
    }

    /// What comes instead, with a status of 400 or more.
    public struct Problem: Hashable, Sendable, Codable {
        /// What is wrong, and what to do about it.
        public var error: String
        /// When the mesh last answered; only while it does not.
        public var lastHeard: Date?
    }
}
