import ActorMesh
import Glibc
import Logging

distributed actor Tally: RemoteActor {
    private var value = 0
    distributed func increment() -> Int {
        self.value += 1
        return self.value
    }
    distributed func processID() -> Int32 { getpid() }
    /// Looks a name up from where this actor lives.
    distributed func lookUp(_ name: String) async throws -> Int {
        try await self.actorSystem.find(Tally.self, named: name).increment()
    }
}

/// Says things in every way.
distributed actor Talker: RemoteActor {
    distributed func say(_ text: String) { print(text) }
    distributed func complain(_ text: String) {
        let line = Array("\(text)\n".utf8)
        write(2, line, line.count)
    }
    distributed func log(_ text: String) {
        Logger(label: "talker").warning("\(text)", metadata: ["length": "\(text.utf8.count)"])
    }
    distributed func crash() { fatalError("on purpose") }
    distributed func leave() { exit(0) }
    distributed func retire() throws { try ActorContext.current.exit() }
    distributed func burst(_ lines: Int) {
        let logger = Logger(label: "burst")
        for number in 1...lines { logger.info("burst \(number)") }
    }
}

/// Prints and logs a line, after many others.
struct Murmur: RemoteTask {
    var text: String
    var before = 0
    func run(on mesh: Mesh) async throws -> Done {
        for number in 0..<self.before { print("line \(number)") }
        print("printed \(self.text)")
        Logger(label: "murmur").info("logged \(self.text)")
        return Done()
    }
}

/// Prints and logs as code does that runs beside.
struct Aside<Subject: Codable & Sendable>: RemoteTask {
    var subject: Subject
    func run(on mesh: Mesh) async throws -> Done {
        let subject = self.subject
        await Task.detached {
            print("printed aside \(subject)")
            Logger(label: "aside").info("logged aside \(subject)")
        }.value
        Logger(label: "aside").info("logged \(subject)")
        return Done()
    }
}

/// Logs until the test is over.
struct Storm: RemoteTask {
    func run(on mesh: Mesh) async throws -> Done {
        let logger = Logger(label: "storm")
        for number in 0... {
            logger.info("storm \(number)")
            if number % 1000 == 0 { try Task.checkCancellation() }
        }
        return Done()
    }
}

/// Has a task of its own print a line.
struct Delegating: RemoteTask {
    var text: String
    func run(on mesh: Mesh) async throws -> Done { try await mesh.submit(Murmur(text: self.text)).value }
}

struct Square: RemoteTask {
    var number: Int
    func run(on mesh: Mesh) async throws -> Int { self.number * self.number }
}

/// Says that it has begun, and never ends by itself.
struct Endless: RemoteTask {
    var messages: MessageActor
    func run(on mesh: Mesh) async throws -> Int {
        try await self.messages.add("\(getpid())")
        while true { try await Task.sleep(for: .seconds(3600)) }
    }
}

/// What the fixture can do.
actor Driver {
    private let mesh: Mesh
    private var tallies: [String: Tally] = [:]
    private var messages: [String: MessageActor] = [:]
    private var talkers: [String: Talker] = [:]
    private var pending: [ObjectRef<Int>] = []
    private var storms: [ObjectRef<Done>] = []

    init(_ mesh: Mesh) { self.mesh = mesh }

    func obey(_ command: String, _ arguments: [String]) async throws -> String {
        let name = arguments.first ?? ""
        switch command {
        case "spawn":
            let cpus = Self.number("cpus", arguments)
            let tally = try await self.mesh.spawn(
                Tally.self,
                options: ActorOptions(
                    name: name, lifetime: arguments.contains("detached") ? .detached : .owned,
                    maxRestarts: Limit(Self.number("restarts", arguments)),
                    resources: cpus > 0 ? Resources(cpus: Double(cpus)) : nil,
                    placement: arguments.contains("shared") ? .shared : .process))
            self.tallies[name] = tally
            return "spawned \(name) in \(try await tally.processID())"
        case "group":
            let bundles = [Resources(cpus: 0.5), Resources(cpus: 0.25)]
            let group = try await self.mesh.placementGroup(bundles, name: name, lifetime: .detached)
            return "group \(name) has \(group.count)"
        case "join":
            let group = try await self.mesh.placementGroup(named: name)
            let options = ActorOptions(resources: Resources(cpus: 0.25), placementGroup: group, bundle: 1)
            self.tallies["joined"] = try await self.mesh.spawn(Tally.self, options: options)
            return "joined \(name)"
        case "disband":
            try await self.mesh.remove(try await self.mesh.placementGroup(named: name))
            return "disbanded \(name)"
        case "used": return "used \(try await self.mesh.nodes().map(\.used.cpus))"
        case "find":
            self.tallies[name] = try await self.mesh.find(Tally.self, named: name)
            return "found \(name)"
        case "kill":
            try await self.mesh.kill(try await self.mesh.find(Tally.self, named: name))
            return "killed \(name)"
        case "process":
            return "process \(try await self.mesh.find(Tally.self, named: name).processID())"
        case "state":
            guard let info = try await self.mesh.actors().first(where: { $0.name == name }) else { return "state none" }
            return "state \(info.state) \(info.incarnation) restarts \(info.restarts)"
        case "alive":
            let alive = try await self.mesh.actors().filter { $0.state == .alive }
            return "alive \(alive.compactMap(\.name).joined(separator: " "))"
        case "churn":
            await self.churn(name)
            return "churned"
        case "call":
            guard let tally = self.tallies[name] else { return "no handle to \(name)" }
            return "\(name) is \(try await tally.increment())"
        case "look":
            guard let tally = self.tallies[name] else { return "no handle to \(name)" }
            return "\(name) sees \(try await tally.lookUp(arguments.last ?? ""))"
        case "collect":
            self.messages[name] = try await self.mesh.spawn(MessageActor.self, options: ActorOptions(name: name))
            return "collecting \(name)"
        case "add":
            try await self.messages[name]?.add(arguments.dropFirst().joined(separator: " "))
            return "added"
        case "talker":
            self.talkers[name] = try await self.mesh.spawn(
                Talker.self, options: ActorOptions(name: name, maxRestarts: 1))
            return "talker \(name)"
        case "say":
            try await self.talkers[name]?.say(arguments.dropFirst().joined(separator: " "))
            return "said"
        case "complain":
            try await self.talkers[name]?.complain(arguments.dropFirst().joined(separator: " "))
            return "complained"
        case "log":
            try await self.talkers[name]?.log(arguments.dropFirst().joined(separator: " "))
            return "logged"
        case "crash":
            try? await self.talkers[name]?.crash()
            return "crashed \(name)"
        case "leave":
            try? await self.talkers[name]?.leave()
            return "left \(name)"
        case "retire":
            try? await self.talkers[name]?.retire()
            return "retired"
        case "aside":
            _ = try await self.mesh.submit(Aside(subject: Int(name) ?? 0)).value
            return "told"
        case "burst":
            try await self.talkers[name]?.burst(Self.number("lines", arguments))
            return "burst"
        case "murmur":
            _ = try await self.mesh.submit(Murmur(text: name)).value
            return "murmured"
        case "chatter":
            _ = try await self.mesh.submit(Murmur(text: name, before: 3000)).value
            return "chattered"
        case "delegate":
            _ = try await self.mesh.submit(Delegating(text: name)).value
            return "delegated"
        case "storm":
            self.storms.append(try await self.mesh.submit(Storm()))
            return "it storms"
        case "squares":
            var results: [ObjectRef<Int>] = []
            for number in 1...(Int(name) ?? 1) { results.append(try await self.mesh.submit(Square(number: number))) }
            return "sum \(try await self.mesh.get(results).reduce(0, +))"
        case "endless":
            guard let messages = self.messages[name] else { return "no handle to \(name)" }
            self.pending.append(try await self.mesh.submit(Endless(messages: messages)))
            while try await messages.messages().isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            return "runs in \(try await messages.messages().last?.text ?? "?")"
        case "crowd":
            guard let messages = self.messages[name] else { return "no handle to \(name)" }
            for _ in 0..<Self.number("of", arguments) {
                self.pending.append(try await self.mesh.submit(Endless(messages: messages)))
            }
            return "a crowd"
        case "actors": return "actors \(try await self.mesh.actors().compactMap(\.name).joined(separator: " "))"
        case "nodes": return "nodes \(try await self.mesh.nodes().map(\.name).joined(separator: " "))"
        default: return "unknown \(command)"
        }
    }

    /// Spawns actors and kills every third of them, several at a time, until the broker is gone; says of each what was
    /// acknowledged.
    private func churn(_ round: String) async {
        let mesh = self.mesh
        await withTaskGroup { group in
            for lane in 0..<4 {
                group.addTask { await Self.churn(mesh, "\(round).\(lane)") }
            }
        }
    }

    private static func churn(_ mesh: Mesh, _ lane: String) async {
        for count in 0... {
            let name = "\(lane).\(count)"
            do {
                let tally = try await mesh.spawn(
                    Tally.self, options: ActorOptions(name: name, lifetime: .detached, placement: .shared))
                Fixture.say("lives \(name)")
                guard count % 3 == 2 else { continue }
                try await mesh.kill(tally)
                Fixture.say("ends \(name)")
            } catch {
                return Fixture.say("unsure \(name)")
            }
        }
    }

    private static func number(_ key: String, _ arguments: [String]) -> Int {
        arguments.first { $0.hasPrefix("\(key)=") }.flatMap { Int($0.dropFirst(key.count + 1)) } ?? 0
    }
}
