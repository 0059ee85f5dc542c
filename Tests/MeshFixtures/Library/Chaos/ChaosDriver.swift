package import ActorMesh
import Glibc
import MeshTesting
import Synchronization

/// Calls its own actors and those of the other drivers until its time is up, and notes each call's start and end.
///
/// It prints `ready` when its actors are there, a line that begins with `violation` for what it sees itself, and `done`
/// when all its calls have ended, its actors answer, and a tree of others has grown. Then it waits to be killed, and its
/// actors with it.
package struct ChaosDriver: Sendable {
    /// How an actor is spawned that the drivers call.
    private struct Kind: Sendable {
        var name: String
        var restarts: Limit
        var retries: Limit
    }

    private static let kinds = [
        Kind(name: "counter", restarts: .unlimited, retries: 2),
        Kind(name: "register", restarts: .unlimited, retries: 0),
        Kind(name: "stubborn", restarts: .unlimited, retries: .unlimited),
        Kind(name: "mortal", restarts: 0, retries: 0),
    ]

    /// The names of the actors of so many drivers.
    package static func names(drivers: Int) -> [String] {
        (0..<drivers).flatMap { driver in self.kinds.map { "\($0.name)-\(driver)" } }
    }

    private let mesh: Mesh
    private let directory: String
    private let index: Int
    private let drivers: Int
    private let seed: UInt64
    private let duration: Duration
    private let numbers: Numbers
    private let notes: NoteFile
    private let name: String

    /// Reads what to do from arguments: the directory of the notes, which of how many drivers it is, the seed, and for
    /// how many seconds it calls.
    package init(_ arguments: ArraySlice<String>, mesh: Mesh) throws {
        let arguments = Array(arguments)
        guard arguments.count >= 5, let index = Int(arguments[1]), let drivers = Int(arguments[2]),
            let seed = UInt64(arguments[3]), let seconds = Double(arguments[4])
        else { throw MeshError(.invalidArgument, "chaos DIRECTORY INDEX DRIVERS SEED SECONDS, not \(arguments).") }
        self.mesh = mesh
        self.directory = arguments[0]
        (self.index, self.drivers, self.seed, self.duration) = (index, drivers, seed, .seconds(seconds))
        self.numbers = Numbers(first: (index + 1) * 1_000_000_000)
        self.name = "driver-\(index)"
        self.notes = try NoteFile("\(arguments[0])/driver-\(index)")
    }

    /// Does it.
    package func run() async throws {
        // The handles keep the actors alive.
        var own: [Specimen] = []
        for kind in Self.kinds { own.append(try await self.specimen(kind, of: self.index)) }
        say("ready")
        let end = ContinuousClock.now + self.duration
        try await withThrowingTaskGroup(of: Void.self) { group in
            for driver in 0..<self.drivers {
                for (position, kind) in Self.kinds.enumerated() {
                    let seed = self.seed &+ UInt64(((self.index * 16) + driver) * 16 + position)
                    group.addTask { try await self.call(kind, of: driver, ChaosWorkload(seed: seed), until: end) }
                }
            }
            group.addTask { try await self.message(ChaosWorkload(seed: self.seed &+ 1), until: end) }
            try await group.waitForAll()
        }
        for (kind, specimen) in zip(Self.kinds, own) where kind.restarts == .unlimited {
            try await self.mesh.withDeadline(.seconds(30)) {
                _ = await self.call(specimen, kind, [false])
                _ = try await self.mesh.find(Specimen.self, named: "\(kind.name)-\(self.index)", weak: true)
            }
        }
        let tree = try await self.tree()
        say("done")
        // Others may still call its actors.
        for await _ in AsyncStream<Never>(unfolding: { await withUnsafeContinuation { _ in } }) {}
        withExtendedLifetime((own, tree)) {}
    }

    /// Actors that have actors, which are to end with this process too.
    private func tree() async throws -> Branch {
        try await persist {
            // Whoever has one that died meanwhile does not grow.
            let witness = try await self.mesh.spawn(Witness.self, options: Witness.options)
            let name = "tree-\(self.index)"
            return try await self.mesh.spawn(
                Branch.self, .init(name, witness, shape: [2, 2]), options: .init(name: name))
        }
    }

    /// Calls one actor in bursts. Nobody else in this process does, so that its calls are numbered in the order in
    /// which they start.
    private func call(
        _ kind: Kind, of driver: Int, _ workload: ChaosWorkload, until end: ContinuousClock.Instant
    ) async throws {
        var workload = workload
        var specimen = try await self.specimen(kind, of: driver)
        while ContinuousClock.now < end {
            let burst = workload.next()
            let codes = await self.call(specimen, kind, burst.writes)
            if codes.contains(MeshError.Code.actorDied.rawValue), kind.restarts != .unlimited {
                // A mortal that died last has no successor: whoever would have made it has no time left either.
                guard let successor = try? await self.specimen(kind, of: driver, until: end) else { return }
                specimen = successor
            }
            try await Task.sleep(for: burst.pause)
        }
    }

    /// Starts calls in order and returns when all have ended, with the codes of those that failed.
    private func call(_ specimen: Specimen, _ kind: Kind, _ writes: [Bool]) async -> [UInt16] {
        let actor = (specimen.id as ActorID).uniqueID.description
        return await withTaskGroup(of: UInt16?.self) { group in
            for isWrite in writes {
                let number = self.numbers.next()
                let operation = isWrite ? CallRecord.Operation.write(number) : .read
                self.note(
                    .started(
                        CallRecord(
                            number: number, caller: self.name, actor: actor, operation: operation,
                            retries: kind.retries.count, start: hostTime())))
                do {
                    let ref = try await self.mesh.submit { try await specimen.run(number, operation) }
                    group.addTask {
                        do {
                            let answer = try await ref.value
                            self.note(.ended(CallEnd(number: number, answer: answer, time: hostTime())))
                            return nil
                        } catch {
                            return self.noteFailure(of: number, kind, error)
                        }
                    }
                } catch {
                    let code = self.noteFailure(of: number, kind, error)
                    group.addTask { code }
                }
            }
            return await group.reduce(into: []) { codes, code in if let code { codes.append(code) } }
        }
    }

    /// Sends messages in bursts, and compares what was acknowledged with what is kept. A message actor has one life.
    private func message(_ workload: ChaosWorkload, until end: ContinuousClock.Instant) async throws {
        var workload = workload
        var evidence = MessageEvidence()
        var collector = try await persist { try await self.mesh.spawn(MessageActor.self) }
        while ContinuousClock.now < end {
            var codes: [MeshError.Code] = []
            var added: [(Int, ObjectRef<Done>)] = []
            let burst = workload.next()
            for _ in burst.writes {
                let number = self.numbers.next()
                evidence.send(number)
                do {
                    let current = collector
                    added.append((number, try await self.mesh.submit { try await current.add("\(number)") }))
                } catch {
                    codes.append((error as? MeshError)?.code ?? .invalidArgument)
                }
            }
            for (number, ref) in added {
                do {
                    _ = try await ref.value
                    evidence.acknowledge(number)
                } catch {
                    codes.append((error as? MeshError)?.code ?? .invalidArgument)
                }
            }
            do {
                let drains = burst.writes[0]
                let messages = try await drains ? collector.drain() : collector.messages()
                for violation in evidence.violations(in: messages.compactMap { Int($0.text) }) {
                    say("violation of \(collector.id): \(violation)")
                }
                // What is still under way may come after this.
                if drains, codes.isEmpty { evidence = MessageEvidence() }
                if drains, !codes.isEmpty { codes.append(.actorDied) }
            } catch {
                codes.append(.actorDied)
            }
            if codes.contains(.actorDied) {
                evidence = MessageEvidence()
                collector = try await persist { try await self.mesh.spawn(MessageActor.self) }
            }
            try await Task.sleep(for: burst.pause)
        }
    }

    private func specimen(
        _ kind: Kind, of driver: Int, until end: ContinuousClock.Instant = .now + .seconds(60)
    ) async throws -> Specimen {
        let name = "\(kind.name)-\(driver)"
        guard driver == self.index else {
            return try await persist(until: end) { try await self.mesh.find(Specimen.self, named: name) }
        }
        let options = ActorOptions(
            name: name, maxRestarts: kind.restarts, maxTaskRetries: kind.retries,
            backoff: Backoff(initial: .milliseconds(5), maximum: .milliseconds(50)))
        return try await persist(until: end) {
            try await self.mesh.findOrSpawn(Specimen.self, .init(directory: self.directory), options: options)
        }
    }

    private func noteFailure(of number: Int, _ kind: Kind, _ error: any Error) -> UInt16 {
        let code = (error as? MeshError)?.code.rawValue ?? 0
        if code == 0 { say("violation: call \(number) failed with \(error)") }
        if kind.restarts == .unlimited, kind.retries == .unlimited {
            say("violation: \(kind.name) lives as long as its driver; call \(number) failed with \(error)")
        }
        self.note(.ended(CallEnd(number: number, code: code, time: hostTime())))
        return code
    }

    private func note(_ note: CallEvidence.Note) {
        do { try self.notes.add(note) } catch { say("violation: \(error)") }
    }
}

/// Numbers that rise, whoever takes them.
private final class Numbers: Sendable {
    private let last: Atomic<Int>
    init(first: Int) { self.last = Atomic(first) }
    func next() -> Int { self.last.add(1, ordering: .relaxed).newValue }
}

func say(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = line.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
}

/// Tries until it goes well. Processes die while it tries.
func persist<Result>(
    until end: ContinuousClock.Instant = .now + .seconds(60), _ body: () async throws -> Result
) async throws -> Result {
    while true {
        do {
            return try await body()
        } catch  where ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
