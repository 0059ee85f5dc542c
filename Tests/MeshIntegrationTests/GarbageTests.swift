import ActorMesh
import CZeroMQ
import FoundationEssentials
import MeshCore
import MeshFixtures
import MeshTesting
import MeshTransportInProcess
import Testing

@testable import MeshRuntime

extension Integration {
    /// B3: bad bytes on any socket are counted and dropped. They never crash, grow or stop a process.
    @Suite("B3: bad bytes", .timeLimit(.minutes(10)))
    struct GarbageTests {
        @Test("junk on a real socket is counted, and the mesh works as before")
        func junkOnSocket() async throws {
            try await withTestMesh(.zeroMQ) { test in
                let echo = try await test.host { Echo(actorSystem: $0) }
                let target = test.meshes[1]
                let before = target.badMessages.count
                let context = zmq_ctx_new()
                let socket = zmq_socket(context, ZMQ_PUSH)
                defer {
                    zmq_close(socket)
                    zmq_ctx_term(context)
                }
                try #require(zmq_connect(socket, target.address.endpoints[0]) == 0)
                var generator = SeededGenerator(seed: 1)
                for count in 1...300 {
                    let junk = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                    // Some in several frames.
                    let more = count % 3 == 0
                    #expect(zmq_send(socket, junk, junk.count, more ? ZMQ_SNDMORE : 0) == junk.count)
                    if more { #expect(zmq_send(socket, junk, junk.count, 0) == junk.count) }
                }
                #expect(try await poll { target.badMessages.count >= before + 300 })
                #expect(try await echo.text("as before") == "as before")
            }
        }

        @Test("each kind of bad message is counted and dropped")
        func badMessages() async throws {
            try await withTestMesh(.inProcess) { test in
                let echo = try await test.host { Echo(actorSystem: $0) }
                let forger = try Forger(test, target: 1)
                let target = test.meshes[1]
                let own = target.address.peer
                let hello: (WireBuffer) -> Void = { $0.writeHello(forger.address) }
                let bad: [(String, (WireBuffer) -> Void)] = [
                    ("nothing but a byte", { $0.append(0xc1) }),
                    (
                        "a header of another version",
                        { buffer in
                            buffer.writeArrayHeader(7)
                            for number: UInt64 in [9, 1, 2, 3, 4, 5, 6] { buffer.write(number) }
                        }
                    ),
                    (
                        "no hello",
                        { buffer in
                            forger.header(to: own).write(to: buffer)
                            buffer.writeProbe(lastSequence: 1)
                        }
                    ),
                    (
                        "a hello in another's name",
                        { buffer in
                            forger.header(to: own, from: PeerID(99)).write(to: buffer)
                            hello(buffer)
                        }
                    ),
                    ("nothing after the header", { forger.header(to: own).write(to: $0) }),
                    ("meant for another process, from nobody", { forger.header(to: PeerID(7)).write(to: $0) }),
                    (
                        "an unknown kind after the hello",
                        { buffer in
                            forger.header(to: own, sequence: 1).write(to: buffer)
                            hello(buffer)
                            buffer.writeArrayHeader(1)
                            buffer.write(UInt64(77))
                        }
                    ),
                    (
                        "a method number that was never named",
                        { buffer in
                            forger.header(to: own, link: 2, sequence: 1).write(to: buffer)
                            hello(buffer)
                            forger.call(.number(500), to: echo.id.uniqueID).write(to: buffer)
                        }
                    ),
                    (
                        "frames that are missing",
                        { buffer in
                            forger.header(to: own, link: 3, sequence: 1).write(to: buffer)
                            hello(buffer)
                            var call = forger.call(.name("x"), to: echo.id.uniqueID)
                            call.envelope.attachments = 3
                            call.write(to: buffer)
                        }
                    ),
                    (
                        "an endpoint that is none",
                        { buffer in
                            var address = forger.address
                            address.peer = PeerID(0x99)
                            address.endpoints = ["nonsense"]
                            forger.header(to: own, from: PeerID(0x99)).write(to: buffer)
                            buffer.writeHello(address)
                        }
                    ),
                ]
                for (what, write) in bad {
                    let before = target.badMessages.count
                    forger.send(write)
                    #expect(try await poll { target.badMessages.count == before + 1 }, "\(what)")
                }
                #expect(try await echo.text("as before") == "as before")
            }
        }

        @Test("C3: a message of a known peer that makes no sense ends the calls of both, and the next ones work")
        func badMessageOfPeer() async throws {
            try await withTestMesh(.inProcess) { test in
                let there = try await test.host(in: 1, maxConcurrency: 100) { Witness(actorSystem: $0) }
                let here = try await test.host(in: 0, maxConcurrency: 100, seenFrom: 1) { Witness(actorSystem: $0) }
                let calls = [
                    try await test.meshes[0].submit { try await there.wait(for: "never", count: 1) },
                    try await test.meshes[1].submit { try await here.wait(for: "never", count: 1) },
                ]
                try await there.reach("before")
                let peer = try #require(test.meshes[0].peers.known(test.meshes[1].address.peer))
                try peer.post { buffer in
                    buffer.writeArrayHeader(1)
                    buffer.write(UInt64(77))
                }
                for call in calls { #expect(await codeThrown { try await call.value } == .actorUnavailable) }
                try await there.reach("after")
                #expect(try await there.count(of: "before") == 1)
                #expect(try await there.count(of: "after") == 1)
            }
        }

        @Test("answers to calls that nobody made mean nothing")
        func unaskedAnswers() async throws {
            try await withTestMesh(.inProcess) { test in
                let witness = try await test.host(in: 1, maxConcurrency: 10) { Witness(actorSystem: $0) }
                let blocker = try await test.host(in: 1) { Blocker(actorSystem: $0) }
                let forger = try Forger(test, target: 0)
                let held = try await test.meshes[0].submit { try await blocker.hold(witness, "held") }
                try await witness.wait(for: "held", count: 1)
                forger.send { buffer in
                    forger.header(to: test.meshes[0].address.peer, sequence: 1).write(to: buffer)
                    buffer.writeHello(forger.address)
                    // Numbers of calls that are not there, or not any more.
                    for callID: UInt64 in [500, .max, 1 << 32 | 400, 99 << 32] {
                        withUnsafeBytes(of: UInt8(0xc0)) {
                            buffer.writeReply(callID: callID, attachments: 0, result: $0)
                        }
                        buffer.writeCancel(callID: callID, actor: blocker.id.uniqueID)
                    }
                    buffer.writeCredit(CreditEnvelope(actor: blocker.id.uniqueID, incarnation: 1, completed: .max))
                    buffer.writeGreeted(7)
                    buffer.writeResend()
                }
                try await forger.roundTrip()
                try await witness.reach("go")
                _ = try await held.value
                #expect(try await blocker.count() == 1)
            }
        }

        @Test("a result from a process that was not asked does not end another's call")
        func forgedAnswer() async throws {
            try await withTestMesh(.inProcess) { test in
                let witness = try await test.host(in: 1, maxConcurrency: 10) { Witness(actorSystem: $0) }
                let blocker = try await test.host(in: 1) { Blocker(actorSystem: $0) }
                let forger = try Forger(test, target: 0)
                let held = try await test.meshes[0].submit { try await blocker.hold(witness, "held") }
                try await witness.wait(for: "held", count: 1)
                forger.send { buffer in
                    forger.header(to: test.meshes[0].address.peer, sequence: 1).write(to: buffer)
                    buffer.writeHello(forger.address)
                    for index: UInt64 in 0..<4 {
                        for generation: UInt64 in 0..<64 {
                            withUnsafeBytes(of: UInt8(0xc0)) {
                                buffer.writeReply(callID: generation << 32 | index, attachments: 0, result: $0)
                            }
                        }
                    }
                }
                try await forger.roundTrip()
                let state = try await test.meshes[0].wait([held], count: 1, timeout: .zero)
                #expect(state.ready.isEmpty)
                try await witness.reach("go")
                _ = try await held.value
            }
        }

        @Test("a peer whose program has another version gets no further, and the others do")
        func otherVersion() async throws {
            try await withTestMesh(.inProcess, parts: 3) { test in
                let echo = try await test.host(in: 1) { Echo(actorSystem: $0) }
                let forger = try Forger(test, target: 1)
                let before = test.meshes[1].badMessages.count
                for _ in 0..<100 {
                    forger.send { buffer in
                        buffer.writeArrayHeader(9)
                        buffer.write(protocolVersion + 1)
                    }
                }
                #expect(try await poll { test.meshes[1].badMessages.count == before + 100 })
                let other = try test.handle(to: echo, seenFrom: 2)
                #expect(try await echo.text("a") == "a")
                #expect(try await other.text("b") == "b")
            }
        }
    }
}
