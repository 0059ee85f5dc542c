import ActorMesh
import ArgumentParser
import MeshCore

struct RevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Makes the key of a driver or an observer worthless.",
        discussion: """
            Whoever has it gets in no more, and those who are in are shut out within seconds; what a driver with that key \
            has spawned ends, unless it is detached. Nothing else is disturbed. It needs the mesh key. A broker with \
            --store remembers it; another forgets it when it ends.

            Example:
              mesh revoke observer 7 --mesh tcp://10.0.0.7:4711 --key-file mesh.key
            """)

    @Argument(help: "The role of the key: driver or observer.")
    var role: RoleName

    @Argument(help: "Its number, from 1 to 1023.")
    var number: Int

    @OptionGroup var mesh: MeshOptions

    func validate() throws {
        guard self.role != .member else {
            throw ValidationError(
                "The mesh key is what all processes of a mesh know each other by. Make another with `mesh keygen`, and "
                    + "start the mesh again with that.")
        }
        guard KeyIdentity(self.role.role, self.number) != nil else {
            throw ValidationError("Keys have numbers from 1 to 1023.")
        }
    }

    func run() async throws {
        guard let key = KeyIdentity(self.role.role, self.number) else { return }
        try await self.mesh.withMesh { mesh in
            try await self.mesh.ask(mesh) { try await mesh.revoke(key: key) }
            print("revoked the key of \(key)")
        }
    }
}
