import ActorMesh
import Testing

@Suite("The command line of a mesh program")
struct RoleArgumentsTests {
    private func read(_ arguments: String...) throws -> (role: RoleArguments, configuration: MeshConfiguration) {
        try self.read(arguments)
    }

    private func read(_ arguments: [String]) throws -> (role: RoleArguments, configuration: MeshConfiguration) {
        var configuration = MeshConfiguration()
        let role = try RoleArguments(arguments, &configuration)
        return (role, configuration)
    }

    private func refusal(_ arguments: String...) -> String {
        var configuration = MeshConfiguration()
        do throws(UsageError) {
            _ = try RoleArguments(arguments, &configuration)
            return "accepted"
        } catch {
            return error.description
        }
    }

    @Test("nothing makes a driver on an embedded mesh")
    func driver() throws {
        let (role, configuration) = try self.read()
        #expect(role == .driver)
        #expect(configuration.address == nil)
    }

    @Test("a driver takes the mesh's address, also after an equals sign, and leaves what it does not know")
    func driverOptions() throws {
        #expect(try self.read("--mesh", "tcp://127.0.0.1:4711").configuration.address == "tcp://127.0.0.1:4711")
        let (role, configuration) = try self.read("input.txt", "--count", "3", "--mesh=tcp://[::1]:4711", "--bind", "x")
        #expect(role == .driver)
        #expect(configuration.address == "tcp://[::1]:4711")
        #expect(configuration.bind.isEmpty)
    }

    @Test("everything after -- is the program's own")
    func separator() throws {
        let (role, configuration) = try self.read("--", "--mesh", "tcp://127.0.0.1:4711", "--help")
        #expect(role == .driver)
        #expect(configuration.address == nil)
    }

    @Test("a broker takes the addresses to bind")
    func broker() throws {
        let (role, configuration) = try self.read("broker", "--bind", "tcp://127.0.0.1:*", "--bind=ipc:///tmp/b.sock")
        #expect(role == .broker)
        #expect(configuration.bind == ["tcp://127.0.0.1:*", "ipc:///tmp/b.sock"])
    }

    @Test("a node takes its mesh, name and CPUs")
    func node() throws {
        let (role, configuration) = try self.read(
            "node", "--mesh", "tcp://broker:4711", "--name", "big", "--cpus", "2.5")
        #expect(role == .node)
        #expect(configuration.address == "tcp://broker:4711")
        #expect(configuration.nodeName == "big")
        #expect(configuration.resources?.cpus == 2.5)
    }

    @Test("a node takes what it has to give; GPUs are looked for when they are not named")
    func resources() throws {
        let (_, configuration) = try self.read(
            "node", "--cpus", "8", "--gpus=2", "--memory", "32GiB", "--resource", "license=3", "--resource=disk=0.5")
        #expect(
            configuration.resources
                == Resources(
                    cpus: 8, gpus: 2, memory: .gibibytes(32), custom: ["license": 3, "disk": 0.5]))
        #expect(!configuration.detectsGPUs)
        #expect(try self.read("node", "--cpus", "8").1.detectsGPUs)
        #expect(try self.read("node").1.resources == nil)
        for (text, bytes) in ["512MiB": 512 << 20, "1.5TiB": 3 << 39, "2 GB": 2_000_000_000, "64kib": 65536]
            as [String: Int64]
        {
            #expect(ResourceArguments.bytes(text) == .bytes(bytes), "\(text)")
        }
        for text in ["32", "GiB", "-1GiB", "1.2.3GiB", "0MiB", "5 apples"] {
            #expect(self.refusal("node", "--memory", text).contains("such as 512MiB, 32GiB"), "\(text)")
        }
        for text in ["1.5", "-1", "many"] {
            #expect(self.refusal("node", "--gpus", text).contains("a whole number"), "\(text)")
        }
        for text in ["license", "=3", "a b=1", "license=-1", "license=many", "gpus=1"] {
            #expect(!self.refusal("node", "--resource", text).isEmpty, "\(text)")
        }
        #expect(self.refusal("node", "--resource", "a=1", "--resource", "a=2").contains("twice"))
    }

    @Test("every role takes what to advertise", arguments: [[], ["broker"], ["node"]])
    func advertise(role: [String]) throws {
        let (_, configuration) = try self.read(
            role + ["--advertise", "tcp://mesh.example:4711", "--advertise=tcp://[fd00::7]:*"])
        #expect(configuration.advertise == ["tcp://mesh.example:4711", "tcp://[fd00::7]:*"])
    }

    @Test("ports may be a range where an address is bound, and nowhere else")
    func ranges() throws {
        let (_, configuration) = try self.read("node", "--bind", "tcp://0.0.0.0:6000-6099")
        #expect(configuration.bind == ["tcp://0.0.0.0:6000-6099"])
        #expect(self.refusal("node", "--bind", "tcp://h:6099-6000").contains("6000-6099"))
        #expect(self.refusal("node", "--mesh", "tcp://h:6000-6099").contains("tcp://10.0.0.7:4711"))
        #expect(self.refusal("node", "--advertise", "tcp://h:6000-6099").contains("tcp://mesh.example:4711"))
    }

    @Test("help and version are told in every role", arguments: [[], ["broker"], ["node"]])
    func help(role: [String]) throws {
        #expect(try self.read(role + ["--help"]).role == .help)
        #expect(try self.read(role + ["-h"]).role == .help)
        #expect(try self.read(role + ["--version"]).role == .version)
        #expect(RoleArguments.help("prog").contains("prog node --mesh ADDRESS"))
    }

    @Test("a role names the option that it does not know, and those that it has")
    func unknown() {
        let refusal = self.refusal("broker", "--mesh", "tcp://127.0.0.1:1")
        #expect(
            refusal
                == "broker does not know \"--mesh\"; its options are --bind, --advertise, --key-file, --logs, --logs-size, "
                + "--logs-age. See --help.")
        #expect(
            self.refusal("node", "--bnd").contains(
                "--mesh, --bind, --advertise, --key-file, --name, --cpus, --gpus, --memory, --resource"))
        #expect(self.refusal("node", "extra").contains("does not know \"extra\""))
    }

    @Test("values that make no sense are refused with an example")
    func values() {
        #expect(self.refusal("--mesh") == "--mesh needs a value. See --help.")
        #expect(self.refusal("--mesh=") == "--mesh needs a value. See --help.")
        for address in [
            "localhost", "tcp://localhost", "tcp://:4711", "tcp://h:0", "tcp://h:70000", "tcp://h:*", "ipc://",
        ] {
            #expect(self.refusal("--mesh", address).contains("tcp://10.0.0.7:4711"), "\(address)")
        }
        #expect(self.refusal("broker", "--bind", "4711").contains("port * takes a free one"))
        #expect(self.refusal("broker", "--bind", "tcp://::1:4711").contains("tcp://[::1]:4711"))
        #expect(self.refusal("broker", "--bind", "tcp://[mesh]:4711").contains("in brackets"))
        for address in ["mesh.example:4711", "ipc:///run/1", "tcp://h:0", "tcp://fd00::7:1", "tcp://h:1#ab"] {
            #expect(self.refusal("node", "--advertise", address).contains("tcp://mesh.example:4711"), "\(address)")
        }
        for host in [
            "a..b", ".a", "a b", "10.0.0.300", "-a", "a-.b", "a,b", "é", "a/b", String(repeating: "a", count: 64),
        ] {
            let refusal = self.refusal("node", "--advertise", "tcp://\(host):5")
            #expect(refusal.contains("neither an address nor a name"), "\(host): \(refusal)")
        }
        for host in ["a", "mesh-1.example.", "_mesh.a_b", "10.0.0.30", "[fd00::7]", "4711.example"] {
            #expect(throws: Never.self, "\(host)") { try MeshAddressSyntax.checkAdvertised("tcp://\(host):5") }
        }
        for address in ["tcp://0.0.0.0:4711", "tcp://[::]:4711", "tcp://*:4711"] {
            #expect(self.refusal("node", "--advertise", address).contains("all interfaces"), "\(address)")
        }
        #expect(self.refusal("node", "--cpus", "none").contains("above 0"))
        #expect(self.refusal("node", "--cpus", "0").contains("above 0"))
    }

    @Test("each kind of failure has its exit status")
    func status() {
        #expect(ExitStatus.of(UsageError("x")) == 64)
        #expect(ExitStatus.of(MeshError(.brokerUnavailable, "x")) == 69)
        #expect(ExitStatus.of(MeshError(.actorDied, "x")) == 1)
        #expect(ExitStatus.of(CancellationError()) == 1)
    }
}
