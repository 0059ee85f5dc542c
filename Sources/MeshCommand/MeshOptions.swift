import ActorMesh
import ArgumentParser

/// Which mesh a command is about, and how long it may take.
struct MeshOptions: ParsableArguments {
    @Option(
        name: .customLong("mesh"),
        help: ArgumentHelp(
            "The broker of the mesh, such as tcp://127.0.0.1:4711 (default: MESH_ADDRESS in the environment).",
            valueName: "address"))
    var address: String?

    @Option(
        help: ArgumentHelp(
            "As what the mesh reaches this process, when that is not the address from which it reaches the broker: "
                + "tcp://HOST:PORT; port * is the bound one. May be repeated.",
            valueName: "address"))
    var advertise: [String] = []

    @OptionGroup var key: KeyOptions

    @Option(help: ArgumentHelp("How long to wait for the mesh to answer.", valueName: "seconds"))
    var timeout: Double = 5

    func validate() throws {
        if let address { try checked { () throws(UsageError) in try MeshAddressSyntax.check(address) } }
        for address in self.advertise {
            try checked { () throws(UsageError) in try MeshAddressSyntax.checkAdvertised(address) }
        }
        guard self.timeout > 0, self.timeout <= 1e6 else {
            throw ValidationError("--timeout takes a number of seconds above 0.")
        }
    }

    /// Runs code as a driver of the mesh.
    ///
    /// - Throws: what the code throws; `brokerUnavailable`; ``UsageError`` when no mesh was named.
    func withMesh(_ body: @Sendable (Mesh) async throws -> Void) async throws {
        var configuration = MeshConfiguration(
            address: self.address, advertise: self.advertise, keyFile: self.key.keyFile,
            joinTimeout: .seconds(self.timeout))
        guard let address = configuration.broker else {
            throw UsageError("Which mesh? Give --mesh tcp://HOST:PORT, or set MESH_ADDRESS.")
        }
        if self.address == nil {
            do throws(UsageError) {
                try MeshAddressSyntax.check(address)
            } catch {
                throw UsageError("MESH_ADDRESS: \(error.description)")
            }
        }
        configuration.address = address
        configuration.workerOutput = WorkerOutputStyle.none
        try await ActorMesh.withMesh(configuration, body)
    }

    /// Asks the mesh something that it answers at once.
    func ask<Answer: Sendable>(_ mesh: Mesh, _ question: () async throws -> Answer) async throws -> Answer {
        try await mesh.withDeadline(.seconds(self.timeout), question)
    }
}

/// Which key a process has.
struct KeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The key of the mesh, made by `mesh keygen` (default: MESH_KEY_FILE in the environment). Without one a mesh is "
                + "for one host alone.",
            valueName: "file"))
    var keyFile: String?
}

/// How a command prints data.
struct FormatOptions: ParsableArguments {
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text
        case json
    }

    @Option(help: ArgumentHelp("How to print: text for people, json for programs.", valueName: "format"))
    var format: Format = .text
}

/// The same check, as a mistake that argument parsing tells.
func checked<Result>(_ check: () throws(UsageError) -> Result) throws -> Result {
    do throws(UsageError) {
        return try check()
    } catch {
        throw ValidationError(error.description)
    }
}
