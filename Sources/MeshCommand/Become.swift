import ActorMesh
import Glibc
import MeshCore

/// Goes on as another program that lies beside this one. `mesh` runs as a worker too, so what a worker should not link is in
/// programs of its own. Returns only when that fails.
///
/// - Parameter what: what the program is, for the error: `A broker with --store`.
func become(_ program: String, _ what: String, _ arguments: [String]) -> MeshError {
    let path = "\(programFolder())/\(program)"
    var command = ([path] + arguments).map { strdup($0) } + [nil]
    defer { for argument in command { free(argument) } }
    execv(path, &command)
    return MeshError(
        .systemFailure,
        "\(what) is the program \(path), which cannot be run: \(String(cString: strerror(errno))). Put it there; "
            + "`swift build` makes it.")
}
