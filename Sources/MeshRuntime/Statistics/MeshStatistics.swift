public import FoundationEssentials

/// What all processes of a mesh have done, as they said it within about a second of each other.
public struct MeshStatistics: Hashable, Sendable, Codable {
    /// When it was asked, by the clock of the broker's host.
    public var date: Date
    /// The broker first, then nodes with their workers, then drivers.
    public var processes: [ProcessStatistics]
    /// Who did not answer in time, for people.
    public var silent: [String]

    package init(date: Date, processes: [ProcessStatistics], silent: [String]) {
        self.date = date
        self.processes = processes
        self.silent = silent
    }

    /// What the actors have done, each with the process that it lives in.
    public var actors: [(actor: ActorStatistics, process: ProcessStatistics)] {
        self.processes.flatMap { process in process.actors.map { ($0, process) } }
    }
}
