import ActorMesh

distributed actor Visitors: RemoteActor {
    private var count = 0

    distributed func welcome() -> Int {
        self.count += 1
        return self.count
    }
}

@main
struct DetachedExample: MeshProgram {
    static func run(_ mesh: Mesh) async throws {
        do {
            let visitors = try await mesh.find(Visitors.self, named: "Visitors")
            print("found: visitor \(try await visitors.welcome())")
            try await mesh.kill(visitors)
            print("killed")
        } catch let error as MeshError where error.code == .actorNotFound {
            let options = ActorOptions(name: "Visitors", lifetime: .detached)
            let visitors = try await mesh.spawn(Visitors.self, options: options)
            print("spawned: visitor \(try await visitors.welcome())")
        }
    }
}
