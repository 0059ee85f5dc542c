import FoundationEssentials
import MeshCore
import MeshFixtures
import MeshTesting
import MeshTransportInProcess
import Testing

@testable import MeshRuntime

extension Integration {
    /// B3, B4: what who has a key with fewer rights can do to a process by what he sends.
    @Suite("B3, B4: messages of those with fewer rights", .timeLimit(.minutes(10)))
    struct RolesTests {
        /// Sends what he likes.
        private struct Guest {
            let transport: InProcessTransport
            private let channel: any TransportChannel
            private let target: Mesh

            init(_ test: TestMesh, target: Int) throws {
                self.transport = test.hub.makeTransport()
                self.target = test.meshes[target]
                self.channel = try self.transport.connect(to: self.target.address.endpoints[0])
            }

            func address(_ peer: PeerID) -> PeerAddress {
                var address = self.target.address
                address.peer = peer
                address.endpoints = self.transport.endpoints
                return address
            }

            func send(from peer: PeerID, to receiver: PeerID, _ write: (WireBuffer) -> Void) {
                let buffer = WireBuffer(capacity: 256)
                BatchHeader(from: peer, to: receiver, epoch: 1, sequence: 0, acknowledgedEpoch: 0, acknowledged: 0)
                    .write(to: buffer)
                buffer.writeHello(self.address(peer))
                write(buffer)
                #expect(self.channel.send(OutboundMessage(head: buffer)))
            }
        }

        @Test("only a member can say that another listens in the place of a process", arguments: MeshRole.allCases)
        func mismatch(role: MeshRole) async throws {
            try await withTestMesh(.inProcess) { test in
                let echo = try await test.host { Echo(actorSystem: $0) }
                #expect(try await echo.text("before") == "before")
                let guest = try Guest(test, target: 1)
                let key = try #require(KeyIdentity(role, role == .member ? 0 : 7))
                let (victim, target) = (test.meshes[0].address.peer, test.meshes[1])
                guest.send(from: .random(for: key), to: target.address.peer) { $0.writeMismatch(expected: victim) }
                let bad = role == .member ? 0 : 1
                #expect(try await poll { target.hasEnded(victim) || target.badMessages.count > 0 })
                #expect(target.hasEnded(victim) == (role == .member))
                #expect(target.badMessages.count == bad)
                if role != .member { #expect(try await echo.text("after") == "after") }
            }
        }

        @Test("nobody speaks in the name of a process that has another key", arguments: MeshRole.allCases)
        func impostor(role: MeshRole) async throws {
            try await withTestMesh(.inProcess) { test in
                let (target, claimed) = (test.meshes[1], PeerID.random())
                let buffer = WireBuffer(capacity: 256)
                BatchHeader(
                    from: claimed, to: target.address.peer, epoch: 1, sequence: 0, acknowledgedEpoch: 0, acknowledged: 0
                ).write(to: buffer)
                var address = test.meshes[0].address
                address.peer = claimed
                buffer.writeHello(address)
                let key = try #require(KeyIdentity(role, role == .member ? 0 : 7))
                target.receive(InboundMessage(head: buffer.bytes, attachments: [], owner: buffer, key: key))
                #expect((target.peers.known(claimed) != nil) == (role == .member))
                #expect(target.badMessages.count == (role == .member ? 0 : 1))
            }
        }

        @Test(
            "hellos under ever new names, and meant for others, open no more than so many ways",
            arguments: [false, true])
        func hellos(areMeantForOthers: Bool) async throws {
            try await withTestMesh(.inProcess) { test in
                let guest = try Guest(test, target: 1)
                let target = test.meshes[1]
                let key = try #require(KeyIdentity(.observer, 7))
                let count = PeerTable.maximumStrangers + 500
                for _ in 0..<count {
                    guest.send(from: .random(for: key), to: areMeantForOthers ? PeerID(99) : target.address.peer) { _ in
                    }
                }
                #expect(try await poll { target.peers.all.count >= PeerTable.maximumStrangers })
                let echo = try await test.host { Echo(actorSystem: $0) }
                #expect(try await echo.text("as before") == "as before")
                #expect(target.peers.all.count <= PeerTable.maximumStrangers + 2)
            }
        }
    }
}
