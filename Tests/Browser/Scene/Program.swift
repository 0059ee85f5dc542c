import ActorMesh
import Glibc

/// A mesh that has something to look at. As a driver it does what it reads, a line at a time, and answers with a line.
@main
struct Program: MeshProgram {
    static func run(_ mesh: Mesh) async throws {
        let director = Director(mesh)
        try await director.setUp()
        self.say("ready")
        while let line = readLine() {
            do {
                self.say(try await director.obey(line.split(separator: " ").map(String.init)))
            } catch {
                self.say("error \(error)")
            }
        }
    }

    private static func say(_ text: String) {
        print(text)
        fflush(nil)
    }
}

/// Has the actors of the scene.
actor Director {
    private let mesh: Mesh
    private var held: [any DistributedActor] = []
    private var cells: [Cell] = []
    private var results: [ObjectRef<Done>] = []
    private var waiting: Task<Void, Never>?
    private var weights: ObjectRef<[UInt8]>?
    private var flaky: Crasher?
    private var speaker: Speaker?

    init(_ mesh: Mesh) { self.mesh = mesh }

    func setUp() async throws {
        let mesh = self.mesh
        self.held.append(try await mesh.spawn(Coordinator.self, options: .init(name: "coordinator")))
        let parameters = try await mesh.spawn(
            ParameterServer.self, options: .init(name: "parameters", lifetime: .detached))
        self.weights = try await parameters.load()
        self.held.append(
            try await mesh.spawn(
                Evaluator.self,
                options: .init(name: "evaluator-1", resources: .init(cpus: 5, memory: .mebibytes(600)))))
        self.waiting = Task {
            let second = try? await mesh.spawn(
                Evaluator.self, options: .init(name: "evaluator-2", resources: .init(cpus: 5)))
            if let second { self.held.append(second) }
        }
        let speaker = try await mesh.spawn(Speaker.self, options: .init(name: "speaker"))
        for epoch in 1...12 { try await speaker.say("epoch \(epoch): loss 0.\(90 - epoch * 6)") }
        self.speaker = speaker
        self.flaky = try await mesh.spawn(Crasher.self, options: .init(name: "flaky", maxRestarts: 10))
        try await self.crash(self.flaky, times: 2)
        let doomed = try await mesh.spawn(Crasher.self, options: .init(name: "doomed"))
        try? await doomed.crash()
        _ = try await mesh.terminated(doomed)
        let killed = try await mesh.spawn(
            Cell.self, options: .init(name: "<b>\"odd\" & 'name'</b>", placement: .shared))
        try await mesh.kill(killed)
        let messages = try await mesh.spawn(MessageActor.self, options: .init(name: "messages", placement: .shared))
        self.held.append(messages)
        for _ in 0..<2 { self.results.append(try await mesh.submit(Simulate(messages: messages))) }
        while try await messages.messages().count < 2 { try await Task.sleep(for: .milliseconds(10)) }
    }

    func obey(_ words: [String]) async throws -> String {
        switch words.first {
        case "cells":
            let count = Int(words.last ?? "") ?? 0
            let first = self.cells.count
            for number in 0..<count {
                let name = "cell-\(String(100_000 + first + number).dropFirst())"
                self.cells.append(
                    try await self.mesh.spawn(Cell.self, options: .init(name: name, placement: .shared)))
            }
            return "cells \(self.cells.count)"
        case "spawn":
            self.held.append(
                try await self.mesh.spawn(
                    Cell.self, options: .init(name: words.last, lifetime: .detached, placement: .shared)))
            return "spawned \(words.last ?? "")"
        case "talk":
            try await self.speaker?.say(words.dropFirst().joined(separator: " "))
            return "talked"
        case "crash":
            try await self.crash(self.flaky, times: 1)
            return "crashed"
        default: return "unknown"
        }
    }

    private func crash(_ crasher: Crasher?, times: Int) async throws {
        for _ in 0..<times {
            let before = try await crasher?.processID()
            try? await crasher?.crash()
            while (try? await crasher?.processID()) ?? before == before { try await Task.sleep(for: .milliseconds(20)) }
        }
    }
}
