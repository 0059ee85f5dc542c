import Glibc
import MeshCluster
import MeshCore
package import MeshRuntime

/// What a command line says of a node's resources.
package struct ResourceArguments: Hashable, Sendable {
    package var cpus: Double?
    package var gpus: Int?
    package var memory: ByteCount?
    package var custom: [String: Double] = [:]
    /// How much of the memory large objects may take, and where those go that find no room in it.
    package var objectMemory: ByteCount?
    package var spillDirectory: String?

    package init() {}

    package mutating func read(cpus text: String) throws(UsageError) {
        guard let cpus = Double(text), cpus > 0, cpus <= 1e6 else {
            throw UsageError("--cpus takes a number above 0, not \"\(text)\".")
        }
        self.cpus = cpus
    }

    package mutating func read(gpus text: String) throws(UsageError) {
        guard let gpus = Int(text), (0...10_000).contains(gpus) else {
            throw UsageError("--gpus takes a whole number, 0 for none, not \"\(text)\".")
        }
        self.gpus = gpus
    }

    package mutating func read(memory text: String) throws(UsageError) {
        self.memory = try Self.size(text, of: "--memory")
    }

    package mutating func read(objectMemory text: String) throws(UsageError) {
        self.objectMemory = try Self.size(text, of: "--object-memory")
    }

    package mutating func read(spillDirectory path: String) throws(UsageError) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, access(path, W_OK | X_OK) == 0 else {
            throw UsageError("--spill takes a folder that can be written, not \"\(path)\".")
        }
        self.spillDirectory = path
    }

    static func size(_ text: String, of option: String) throws(UsageError) -> ByteCount {
        guard let memory = Self.bytes(text), memory.bytes > 0 else {
            throw UsageError(
                "\(option) takes a number with a unit, such as 512MiB, 32GiB or 1.5TiB, or KB, MB, GB, TB by thousands; "
                    + "not \"\(text)\".")
        }
        return memory
    }

    package mutating func read(resource text: String) throws(UsageError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let amount = Double(parts[1]), amount >= 0, amount <= 1e9 else {
            throw UsageError("--resource takes a name and a number, such as license=3, not \"\(text)\".")
        }
        do throws(MeshError) { try ResourceAmounts.check(name: parts[0]) } catch { throw UsageError(error.message) }
        guard self.custom.updateValue(amount, forKey: parts[0]) == nil else {
            throw UsageError("--resource \(parts[0]) is there twice.")
        }
    }

    /// A number of bytes with its unit.
    package static func bytes(_ text: String) -> ByteCount? {
        let digits = text.prefix { $0.isNumber || $0 == "." }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        let sizes: [String: Double] = [
            "b": 1, "kib": 1024, "mib": 1_048_576, "gib": 1_073_741_824, "tib": 1_099_511_627_776,
            "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
        ]
        guard let number = Double(digits), let size = sizes[unit], number * size < 1e16 else { return nil }
        return .bytes(Int64(number * size))
    }

    /// Adds what was said to a configuration. GPUs that nobody spoke of are still looked for.
    package func apply(to configuration: inout MeshConfiguration) {
        if let memory = self.objectMemory { configuration.settings.objectMemory = memory }
        if let folder = self.spillDirectory { configuration.settings.spillDirectory = folder }
        guard self.cpus != nil || self.gpus != nil || self.memory != nil || !self.custom.isEmpty else { return }
        var resources = configuration.resources ?? Resources()
        configuration.detectsGPUs = self.gpus == nil && configuration.resources == nil
        if let cpus = self.cpus { resources.cpus = cpus }
        if let gpus = self.gpus { resources.gpus = Double(gpus) }
        if let memory = self.memory { resources.memory = memory }
        resources.custom.merge(self.custom) { $1 }
        configuration.resources = resources
    }
}
