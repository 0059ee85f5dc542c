public import ActorMesh
import Glibc
public import MeshTesting

/// Counts its calls and keeps a number, and notes each call in a file before it answers. What it notes survives it.
public distributed actor Specimen: RemoteActor {
    /// Where it notes what it runs, and how often its calls may run again.
    public struct Arguments: Codable, Sendable {
        /// A directory.
        public var directory: String

        /// Makes arguments.
        public init(directory: String) { self.directory = directory }
    }

    private let notes: NoteFile
    private let name: String
    private let life: UInt64
    private var position = 0
    private var value = 0

    /// Begins a life, with nothing of the one before.
    public init(_ arguments: Arguments, actorSystem: Mesh) throws {
        self.actorSystem = actorSystem
        self.name = ActorContext.current.id.map(String.init(describing:)) ?? ""
        self.life = ActorContext.current.incarnation
        self.notes = try NoteFile("\(arguments.directory)/actor-\(self.name)")
    }

    /// Runs a call.
    public distributed func run(_ number: Int, _ operation: CallRecord.Operation) throws -> CallAnswer {
        try self.notes.add(.ran(CallRun(actor: self.name, life: self.life, number: number)))
        self.position += 1
        if case .write(let value) = operation { self.value = value }
        return CallAnswer(life: self.life, position: self.position, value: self.value)
    }
}
