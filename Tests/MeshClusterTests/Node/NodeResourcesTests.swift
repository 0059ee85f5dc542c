import MeshCluster
import MeshCore
import MeshRuntime
import Testing

@Suite("What a node finds that it has")
struct NodeResourcesTests {
    private static func system(
        _ files: [String: String] = [:], folders: [String: [String]] = [:], visible: String? = nil
    ) -> NodeResources.System {
        NodeResources.System(
            processors: 16, memory: 64 << 30, visibleDevices: visible, read: { files[$0] }, list: { folders[$0] ?? [] })
    }

    private static func found(_ system: NodeResources.System) throws -> Resources {
        try NodeResources(declared: nil, detectsGPUs: true, on: system).resources
    }

    @Test("is the machine's when nothing limits it")
    func machine() throws {
        let found = try Self.found(
            Self.system(["/sys/fs/cgroup/cpu.max": "max 100000", "/sys/fs/cgroup/memory.max": "max"]))
        #expect(found == Resources(cpus: 16, memory: .gibibytes(64)))
    }

    @Test("is what the control groups around it leave, and never less than one CPU")
    func limits() throws {
        let nested = Self.system([
            "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/cpu.max": "250000 100000\n",
            "/sys/fs/cgroup/a/b/memory.max": "1073741824\n", "/sys/fs/cgroup/a/memory.max": "max\n",
        ])
        #expect(try Self.found(nested) == Resources(cpus: 2, memory: .gibibytes(1)))
        let half = Self.system(["/sys/fs/cgroup/cpu.max": "50000 100000"])
        #expect(try Self.found(half).cpus == 1)
        let first = Self.system([
            "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912",
        ])
        #expect(try Self.found(first) == Resources(cpus: 3, memory: .mebibytes(512)))
    }

    @Test("are the GPUs that the driver lists, or the devices, or what the environment lets it see")
    func gpus() throws {
        let driver = Self.system(folders: ["/proc/driver/nvidia/gpus": ["0000:01:00.0", "0000:02:00.0"]])
        #expect(try Self.found(driver).gpus == 2)
        let devices = Self.system(folders: ["/dev": ["nvidia0", "nvidiactl", "nvidia-uvm", "nvidia1", "null"]])
        #expect(try Self.found(devices).gpus == 2)
        let some = try NodeResources(
            declared: nil, detectsGPUs: true,
            on: Self.system(folders: ["/dev": ["nvidia0", "nvidia1"]], visible: "3, GPU-abc"))
        #expect(some.resources.gpus == 2 && some.gpuDevices == ["3", "GPU-abc"])
        #expect(try Self.found(Self.system(folders: ["/dev": ["nvidia0"]], visible: "")).gpus == 0)
        #expect(NodeResources.devices(Self.system(visible: "1,-1,2")) == ["1"])
    }

    @Test("gives way to what is declared, as far as that can be")
    func declared() throws {
        let system = Self.system(folders: ["/dev": ["nvidia0"]], visible: "7")
        let declared = try NodeResources(
            declared: Resources(cpus: 2.5, gpus: 1, custom: ["license": 3]), detectsGPUs: false, on: system)
        #expect(declared.resources == Resources(cpus: 2.5, gpus: 1, memory: .gibibytes(64), custom: ["license": 3]))
        #expect(declared.gpuDevices == ["7"])
        let many = refusal { try NodeResources(declared: Resources(gpus: 2), detectsGPUs: false, on: system) }
        #expect(many?.code == .invalidArgument && many?.message.contains("CUDA_VISIBLE_DEVICES") == true)
        let part = refusal { try NodeResources(declared: Resources(gpus: 0.5), detectsGPUs: false, on: system) }
        #expect(part?.code == .invalidArgument)
    }
}
