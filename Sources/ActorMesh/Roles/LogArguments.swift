import MeshCore
import MeshRuntime

/// What a command line says of where logs are kept.
package struct LogArguments: Hashable, Sendable {
    package var settings = LogSettings()

    package init() {}

    package mutating func read(logs folder: String) throws(UsageError) {
        guard !folder.isEmpty else { throw UsageError("--logs takes a folder; it is made if there is none.") }
        self.settings.directory = folder
    }

    package mutating func read(logsSize text: String) throws(UsageError) {
        self.settings.size = try ResourceArguments.size(text, of: "--logs-size")
    }

    package mutating func read(logsAge text: String) throws(UsageError) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Double(text.dropLast()), count > 0,
            count * unit < 1e9
        else { throw UsageError("--logs-age takes a time such as 12h or 7d, not \"\(text)\".") }
        self.settings.age = .seconds(count * unit)
    }

    package mutating func read(logSpool folder: String) throws(UsageError) {
        guard !folder.isEmpty else { throw UsageError("--log-spool takes a folder; it is made if there is none.") }
        self.settings.spool = folder
    }

    package mutating func read(logSpoolSize text: String) throws(UsageError) {
        self.settings.spoolSize = try ResourceArguments.size(text, of: "--log-spool-size")
    }

    /// The same as options of a command line.
    package var arguments: [String] {
        var arguments: [String] = []
        if let directory = self.settings.directory { arguments += ["--logs", directory] }
        if let size = self.settings.size { arguments += ["--logs-size", "\(size.bytes)B"] }
        if self.settings.age != LogSettings().age {
            arguments += ["--logs-age", "\(self.settings.age.components.seconds)s"]
        }
        return arguments
    }
}
