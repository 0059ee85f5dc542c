import ActorMesh

distributed actor Greeter: RemoteActor {
    distributed func greet(_ name: String) -> String { "Hello, \(name)." }
}

@main
struct GreeterExample: MeshProgram {
    static func run(_ mesh: Mesh) async throws {
        // Detached: on a mesh that lasts it stays when this program ends, for others to call.
        let options = ActorOptions(name: "Greeter", lifetime: .detached)
        let greeter = try await mesh.findOrSpawn(Greeter.self, options: options)
        print(try await greeter.greet("Swift"))
    }
}
