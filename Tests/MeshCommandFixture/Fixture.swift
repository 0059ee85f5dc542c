import ActorMesh
import Glibc

/// A driver that does what the lines of its standard input say, and answers each with one line. It ends with its input.
@main
struct Fixture: MeshProgram {
    static let help = "Obeys the lines of its standard input."

    static func run(_ mesh: Mesh) async throws {
        let driver = Driver(mesh)
        say("ready \(getpid())")
        for await line in inputLines() {
            let words = line.split(separator: " ").map(String.init)
            guard let command = words.first, command != "exit" else { break }
            do {
                say(try await driver.obey(command, Array(words.dropFirst())))
            } catch let error as MeshError {
                say("error \(error)")
            } catch {
                say("failed \(error)")
            }
        }
    }

    static func say(_ text: String) {
        let line = Array("\(text)\n".utf8)
        write(1, line, line.count)
    }

    /// Standard input, read by a thread of its own.
    private static func inputLines() -> AsyncStream<String> {
        AsyncStream { continuation in
            Task.detached {
                while let line = readLine() { continuation.yield(line) }
                continuation.finish()
            }
        }
    }
}
