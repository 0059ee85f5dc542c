import CMeshPlatform
import Glibc
package import MeshCore
package import MeshRuntime

/// What a node has, as far as the system says so.
package struct NodeResources: Sendable {
    /// What it has.
    package var resources: Resources
    /// What CUDA calls its GPUs, by their numbers.
    package var gpuDevices: [String]

    /// The files of this machine.
    package struct System: Sendable {
        /// The text of a file; nil when it cannot be read.
        package var read: @Sendable (String) -> String?
        /// The names in a folder.
        package var list: @Sendable (String) -> [String]
        package var processors: Int
        package var memory: Int64
        /// What the node's own environment says of the GPUs that it may use.
        package var visibleDevices: String?

        package init(
            processors: Int, memory: Int64, visibleDevices: String? = nil,
            read: @escaping @Sendable (String) -> String?, list: @escaping @Sendable (String) -> [String]
        ) {
            self.processors = processors
            self.memory = memory
            self.visibleDevices = visibleDevices
            self.read = read
            self.list = list
        }

        /// This one.
        package static var own: System {
            System(
                processors: max(1, Int(cmesh_usable_processors())), memory: physicalMemory(),
                visibleDevices: getenv(ProcessGPUs.variable).map { String(cString: $0) },
                read: { readSmallFile($0) }, list: namesInFolder)
        }
    }

    /// What was declared, and for the rest what the system has.
    ///
    /// - Parameter declared: CPUs and memory that are 0, and GPUs when nothing is declared at all, are looked up.
    /// - Throws: `invalidArgument` for what no node can have.
    package init(
        declared: Resources?, detectsGPUs: Bool, on system: System = .own
    ) throws(MeshError) {
        var resources = declared ?? Resources()
        if resources.cpus == 0 { resources.cpus = Double(Self.processors(system)) }
        if resources.memory == .bytes(0) { resources.memory = .bytes(Self.memory(system)) }
        let found = Self.devices(system)
        if detectsGPUs { resources.gpus = Double(found.count) }
        let count = Int(try ResourceAmounts(offered: resources).gpus / ResourceAmounts.one)
        if system.visibleDevices != nil, count > found.count {
            throw MeshError(
                .invalidArgument,
                "The node is to give \(count) GPUs, but \(ProcessGPUs.variable) lets it see \(found.count). Give it "
                    + "more there, or declare fewer.")
        }
        self.resources = resources
        // What is declared and not found goes by its number, as CUDA has it.
        self.gpuDevices = (0..<count).map { found.indices.contains($0) ? found[$0] : "\($0)" }
    }

    // MARK: Limits of the control group

    /// The processors that this process may use: those that it may run on, or as many as its control group pays for when
    /// that is fewer; at least one.
    package static func processors(_ system: System) -> Int {
        var least = Double(system.processors)
        for folder in self.groups(system) {
            guard let fields = system.read("\(folder)/cpu.max")?.split(whereSeparator: \.isWhitespace),
                fields.count == 2,
                let quota = Double(fields[0]), let period = Double(fields[1]), period > 0
            else { continue }
            least = min(least, quota / period)
        }
        for folder in ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"] {
            guard let quota = self.number(system.read("\(folder)/cpu.cfs_quota_us")), quota > 0,
                let period = self.number(system.read("\(folder)/cpu.cfs_period_us")), period > 0
            else { continue }
            least = min(least, Double(quota) / Double(period))
        }
        return max(1, Int(least))
    }

    /// The memory that this process may use: the machine's, or what its control group may have when that is less.
    package static func memory(_ system: System) -> Int64 {
        var least = system.memory
        for folder in self.groups(system) {
            if let limit = self.number(system.read("\(folder)/memory.max")), limit > 0 { least = min(least, limit) }
        }
        if let limit = self.number(system.read("/sys/fs/cgroup/memory/memory.limit_in_bytes")), limit > 0 {
            least = min(least, limit)
        }
        return least
    }

    private static func number(_ text: String?) -> Int64? {
        text?.split(whereSeparator: \.isWhitespace).first.flatMap { Int64($0) }
    }

    /// The folders of this process's control group and those around it: each limits what is in it.
    private static func groups(_ system: System) -> [String] {
        let root = "/sys/fs/cgroup"
        let line = system.read("/proc/self/cgroup")?.split(separator: "\n").first { $0.hasPrefix("0::") }
        guard let path = line?.dropFirst("0::".count) else { return [root] }
        var folders = [root]
        for name in path.split(separator: "/") where name != ".." { folders.append("\(folders.last ?? root)/\(name)") }
        return folders
    }

    // MARK: GPUs

    /// What CUDA calls the GPUs that this process may use.
    ///
    /// The driver lists them below `/proc`; in a container there may be only their devices.
    package static func devices(_ system: System) -> [String] {
        if let visible = system.visibleDevices {
            let devices = visible.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
            // What comes after one that makes no sense is not visible to CUDA either.
            return Array(devices.prefix { !$0.isEmpty && $0 != "-1" })
        }
        var count = system.list("/proc/driver/nvidia/gpus").count
        if count == 0 {
            count = system.list("/dev").count { name in
                name.hasPrefix("nvidia") && name.count > 6 && name.dropFirst(6).allSatisfy(\.isNumber)
            }
        }
        return (0..<count).map(String.init)
    }
}

/// How much memory this machine has.
private func physicalMemory() -> Int64 {
    Int64(max(0, sysconf(Int32(_SC_PHYS_PAGES)))) * Int64(max(0, sysconf(Int32(_SC_PAGESIZE))))
}

@Sendable private func namesInFolder(_ path: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}
