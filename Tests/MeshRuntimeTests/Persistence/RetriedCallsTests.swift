import Distributed
import FoundationEssentials
import MeshCore
import MeshTesting
import Synchronization
import Testing

@testable import MeshRuntime

/// C4 with a state that is kept: a call that comes again, to the same life of its actor or to the next.
@Suite("Retried calls", .timeLimit(.minutes(10)))
struct RetriedCallsTests {
    private let store = MemoryStateStore()

    /// One life of an actor on the second part of a test mesh.
    private func live(_ test: TestMesh, _ id: UniqueID, incarnation: UInt64 = 1) async throws -> Life {
        var actor = TestMesh.Restartable()
        actor.id = id
        _ = try await test.begin(actor, life: incarnation, in: 1) { Till(actorSystem: $0) }
        return Life(mesh: test.meshes[1], id: id)
    }

    @Test("a call that comes again is answered with what became of it, and runs once")
    func sameLife() async throws {
        try await withTestMesh(stateStore: self.store) { test in
            let life = try await self.live(test, .make())
            #expect(await life.ask(.add, sequence: 1) == "1")
            #expect(await life.ask(.add, sequence: 2) == "2")
            #expect(await life.ask(.add, sequence: 1) == "1")
            #expect(await life.ask(.add, sequence: 2) == "2")
            #expect(await life.ask(.refuse, sequence: 3) == "thrown")
            #expect(await life.ask(.refuse, sequence: 3) == "thrown")
            #expect(await life.ask(.count, sequence: 4, answeredBelow: 3) == "2")
            #expect(await life.ask(.add, sequence: 1, answeredBelow: 3) == "actorUnavailable")
        }
    }

    @Test("what comes again while it waits or runs is answered once, to the newest asker")
    func whileOpen() async throws {
        try await withTestMesh(stateStore: self.store) { test in
            let life = try await self.live(test, .make())
            let gate = Gate.shared
            let first = life.start(.addAtGate, sequence: 1)
            let second = life.start(.add, sequence: 2)
            await gate.waitUntilReached()
            async let running = life.ask(.addAtGate, sequence: 1)
            async let waiting = life.ask(.add, sequence: 2)
            await life.untilAsked(2)
            gate.open()
            #expect(await running == "1")
            #expect(await waiting == "2")
            #expect(await life.ask(.count, sequence: 3) == "2")
            for call in [first, second] { life.mesh.pending.complete(call, with: .broken(MeshError(.cancelled, ""))) }
        }
    }

    @Test("a call whose effect was saved is answered by the next life, and runs no more")
    func nextLife() async throws {
        try await withTestMesh(stateStore: self.store) { test in
            let id = UniqueID.make()
            let first = try await self.live(test, id)
            #expect(await first.ask(.add, sequence: 1) == "1")
            #expect(await first.ask(.add, sequence: 2, answeredBelow: 2) == "2")
            #expect(await first.ask(.addAndRefuse, sequence: 3, answeredBelow: 2) == "thrown")
            let second = try await self.live(test, id, incarnation: 2)
            #expect(await second.ask(.addAndRefuse, sequence: 3, answeredBelow: 2) == "thrown")
            #expect(await second.ask(.add, sequence: 2, answeredBelow: 2) == "2")
            #expect(await second.ask(.count, sequence: 4, answeredBelow: 2) == "3")
            // What the caller had its answer of is forgotten, and does not run either.
            #expect(await second.ask(.add, sequence: 1, answeredBelow: 2) == "actorUnavailable")
            // A third life knows it from the second, which saved something else since.
            #expect(await second.ask(.add, sequence: 5, answeredBelow: 2) == "4")
            let third = try await self.live(test, id, incarnation: 3)
            #expect(await third.ask(.add, sequence: 2, answeredBelow: 2) == "2")
            #expect(await third.ask(.add, sequence: 5, answeredBelow: 2) == "4")
        }
    }

    @Test("a call that was not saved runs in the next life")
    func notSaved() async throws {
        try await withTestMesh(stateStore: self.store) { test in
            let id = UniqueID.make()
            let first = try await self.live(test, id)
            self.store.fail(.before)
            #expect(await first.ask(.add, sequence: 1) == "systemFailure")
            #expect(await first.ask(.add, sequence: 1) == "systemFailure", "in this life that is what became of it")
            let second = try await self.live(test, id, incarnation: 2)
            #expect(await second.ask(.add, sequence: 1) == "1")
        }
    }

    @Test("when a save failed but is there all the same, the next life answers what was saved")
    func uncertain() async throws {
        try await withTestMesh(stateStore: self.store) { test in
            let id = UniqueID.make()
            let first = try await self.live(test, id)
            self.store.fail(.after)
            #expect(await first.ask(.add, sequence: 1) == "systemFailure")
            let second = try await self.live(test, id, incarnation: 2)
            #expect(await second.ask(.add, sequence: 1) == "1")
            #expect(await second.ask(.count, sequence: 2) == "1")
        }
    }

    @Test("what the actor changes while it cleans up is stored")
    func cleanedUp() async throws {
        try await withTestMesh(stateStore: self.store) { test in
            let first = try await self.live(test, .make())
            #expect(await first.ask(.add, sequence: 1) == "1")
            let hosted = try #require(first.mesh.hosted(first.id, incarnation: 1))
            await hosted.stop(
                within: 5_000_000_000, because: .stopped, with: MeshError(.actorDied, "It was told to stop."))
            let second = try await self.live(test, .make())
            #expect(await second.ask(.count, sequence: 1) == "101")
        }
    }

    @Test("another actor with the same key has the state, and other calls")
    func otherActor() async throws {
        try await withTestMesh(stateStore: self.store) { test in
            let first = try await self.live(test, .make())
            #expect(await first.ask(.add, sequence: 1) == "1")
            let second = try await self.live(test, .make())
            #expect(await second.ask(.add, sequence: 1) == "2")
        }
    }

    /// One life of a till, asked as a caller of its own process does that may ask again.
    struct Life: Sendable {
        let mesh: Mesh
        let id: UniqueID

        /// Asks, and waits for the answer.
        func ask(_ method: Till.Method, sequence: UInt64, answeredBelow: UInt64 = 1) async -> String {
            let callID = self.mesh.pending.reserve(for: self.mesh.address.peer)
            let outcome = await self.mesh.pending.outcome(of: callID) {
                self.deliver(method, callID, sequence, answeredBelow)
            }
            switch outcome {
            case .result(let payload):
                return (try? self.mesh.decode(Int.self, from: EncodedValue(Data(payload.bytes)), what: "it")).map(
                    String.init) ?? "?"
            case .failure(let error): return (self.mesh.decodeError(error) as? MeshError)?.code.description ?? "thrown"
            case .broken(let error): return error.code.description
            }
        }

        /// Asks, and does not wait.
        func start(_ method: Till.Method, sequence: UInt64) -> UInt64 {
            let callID = self.mesh.pending.reserve(for: self.mesh.address.peer)
            self.deliver(method, callID, sequence, 1)
            return callID
        }

        /// Returns when so many calls that are open have been asked for again.
        func untilAsked(_ count: Int) async {
            guard let hosted = self.mesh.hosts.withLock({ $0[self.id] }) else { return }
            while hosted.mailbox.withLock({ $0.answers.repeatedCount }) < count { await Task.yield() }
        }

        private func deliver(_ method: Till.Method, _ callID: UInt64, _ sequence: UInt64, _ answeredBelow: UInt64) {
            let arguments = WireBuffer()
            withUnsafeBytes(of: 0x90 as UInt8) { arguments.append($0) }
            let call = InboundCall(
                origin: nil, callID: callID, sequence: sequence, isOneWay: false, wantsCredit: false, deadline: 0,
                context: CallContextFields(answeredBelow: answeredBelow),
                target: self.mesh.targets.target(named: method.target),
                payload: Payload(
                    message: InboundMessage(head: arguments.bytes, attachments: [], owner: arguments), range: 0..<1))
            self.mesh.deliver(call, to: self.id, incarnation: 0)
        }
    }
}
