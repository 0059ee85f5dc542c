public import ActorMesh
import FoundationEssentials
import Glibc
import Logging

/// Logs numbered lines, and notes after each, where no crash of the process loses it, that it was accepted.
public struct Chronicle: RemoteTask {
    /// Which of the tasks it is.
    public var lane: Int
    /// How many lines it logs.
    public var count: Int
    /// Where the notes are.
    public var folder: String

    /// Makes one.
    public init(lane: Int, count: Int, folder: String) {
        self.lane = lane
        self.count = count
        self.folder = folder
    }

    /// Logs.
    public func run(on mesh: Mesh) async throws -> Done {
        let run = "\(self.lane)-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let descriptor = open("\(self.folder)/\(run)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        let logger = Logger(label: "chronicle")
        for number in 1...self.count {
            logger.info("\(run) \(number)")
            var accepted = Int64(number)
            pwrite(descriptor, &accepted, 8, 0)
            if number % 3 == 0 { print("\(run) prints \(number)") }
            if number % 20 == 0 { try await Task.sleep(for: .milliseconds(5)) }
        }
        return Done()
    }
}

/// What the notes of ``Chronicle`` say.
public enum Chronicles {
    /// How many lines of each run were accepted.
    public static func accepted(_ folder: String) throws -> [String: Int] {
        var accepted: [String: Int] = [:]
        for run in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let note = FileManager.default.contents(atPath: "\(folder)/\(run)") ?? Data()
            accepted[run] = note.count < 8 ? 0 : Int(note.withUnsafeBytes { $0.loadUnaligned(as: Int64.self) })
        }
        return accepted
    }
}
