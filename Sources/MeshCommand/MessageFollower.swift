import ActorMesh
import ArgumentParser
import Glibc
import MeshCore
import Synchronization

/// Follows a named MessageActor, and does so again whenever the mesh, the actor or the way to them was away.
///
/// Each message is printed once while the actor lives. One that is started again elsewhere has lost what it had, and
/// begins to count anew.
struct MessageFollower: Sendable {
    let name: String
    let namespace: String
    let mesh: MeshOptions

    /// What was printed and said so far.
    private final class Progress: Sendable {
        private struct State {
            var printer: MessagePrinter
            var last: Message?
            var trouble: String?
        }

        private let state: Mutex<State>

        init(_ format: FormatOptions.Format) { self.state = Mutex(State(printer: MessagePrinter(format))) }

        func print(_ message: Message) throws {
            try self.state.withLock { state in
                // After an interruption the actor tells everything again.
                if let last = state.last, message.sequence <= last.sequence, message.date <= last.date { return }
                state.last = message
                try state.printer.print(message)
            }
        }

        /// Says on standard error what is waited for, unless it just did.
        func waits(because reason: String) {
            self.state.withLock { state in
                guard state.trouble != reason else { return }
                state.trouble = reason
                say("mesh: waiting: \(reason)", to: 2)
            }
        }

        func goesOn(with name: String) {
            self.state.withLock { state in
                guard state.trouble != nil else { return }
                state.trouble = nil
                say("mesh: following \"\(name)\"", to: 2)
            }
        }
    }

    /// Prints until it is cancelled.
    ///
    /// - Throws: what waiting does not mend, such as `unauthorized`, or that the output is closed.
    func run(as format: FormatOptions.Format) async throws {
        let progress = Progress(format)
        while !Task.isCancelled {
            do {
                try await self.mesh.withMesh { mesh in
                    while !Task.isCancelled {
                        try await self.follow(on: mesh, progress)
                        try? await Task.sleep(for: .milliseconds(500))
                    }
                }
            } catch let error as MeshError where error.code == .brokerUnavailable || Self.mayPass(error.code) {
                progress.waits(because: error.message)
            }
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Prints what the actor has and gets, until that breaks off.
    private func follow(on mesh: Mesh, _ progress: Progress) async throws {
        do {
            let messages = try await self.mesh.ask(mesh) {
                try await mesh.find(MessageActor.self, named: self.name, namespace: self.namespace)
            }
            let stream = try await self.mesh.ask(mesh) { try await messages.stream() }
            progress.goesOn(with: self.name)
            for try await message in stream { try progress.print(message) }
            progress.waits(because: "\"\(self.name)\" has ended its stream.")
        } catch let error as MeshError where Self.mayPass(error.code) {
            progress.waits(because: error.message)
        }
    }

    private static func mayPass(_ code: MeshError.Code) -> Bool {
        [.actorNotFound, .actorDied, .actorUnavailable, .deadlineExceeded, .slowConsumer].contains(code)
    }
}
