import CMeshPlatform
import Glibc
import MeshCore

/// The dashboard that a broker brings along: a process of its own, so that a broker does not link an HTTP server, which
/// ends with the broker in whatever way that ends.
package struct DashboardProcess: Sendable {
    /// The program, beside this one.
    package static let program = "mesh-dashboard"
    /// Where it listens unless told otherwise: where those who come from Ray look.
    package static let standardAddress = "127.0.0.1:8265"

    /// Starts it. That it cannot be is said on standard error, and no failure of the broker.
    ///
    /// What it writes goes to standard error: what a broker writes to standard output is read by programs.
    ///
    /// - Parameters:
    ///   - address: where it is to listen.
    ///   - broker: where it finds the broker.
    ///   - name: what it calls the mesh: where others find the broker.
    ///   - keyFile: the file of the mesh's key.
    static func start(at address: String, broker: String, name: String, keyFile: String?) {
        let path = "\(programFolder())/\(Self.program)"
        var ends: [Int32] = [-1, -1]
        guard isExecutable(path) else {
            return say(
                "mesh: there is no dashboard, because there is no program \(path). `swift build` makes it; --no-dashboard "
                    + "does without.", to: STDERR_FILENO)
        }
        guard cmesh_pipe(&ends) == 0 else {
            return say("mesh: there is no dashboard: \(describeErrno()).", to: STDERR_FILENO)
        }
        let key = keyFile.map { ["--key-file", $0] } ?? []
        let arguments = [path, "--mesh", broker, "--mesh-name", name, "--bind", address, "--end-with-input"] + key
        let (processID, failure) = Self.spawn(path, arguments, input: ends[0])
        close(ends[0])
        guard failure == 0 else {
            close(ends[1])
            return say("mesh: there is no dashboard: \(String(cString: strerror(failure))).", to: STDERR_FILENO)
        }
        // The other end stays open as long as this process is there, and nobody else has it.
        startThread(named: "dashboard") { Self.watch(processID) }
    }

    private static func spawn(_ path: String, _ arguments: [String], input: Int32) -> (pid_t, Int32) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own: Ctrl-C is for the broker, with which it ends.
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let list = arguments.map { strdup($0) } + [nil]
        defer { for pointer in list { free(pointer) } }
        var processID: pid_t = 0
        let result = posix_spawn(&processID, path, &actions, &attributes, list, environ)
        return (processID, result)
    }

    /// Waits for its end, which it has explained itself unless a signal ended it.
    private static func watch(_ processID: pid_t) {
        var status: Int32 = 0
        while waitpid(processID, &status, 0) < 0 { guard errno == EINTR else { return } }
        let signal = status & 0x7f
        guard signal != 0 else { return }
        say("mesh: the dashboard was ended by signal \(signal); the broker goes on.", to: STDERR_FILENO)
    }
}
