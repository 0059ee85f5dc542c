import ActorMesh
import FoundationEssentials
import Glibc
import MeshCore
import MeshFixtures
import MeshTesting
import Testing

@testable import MeshRuntime

extension Integration {
    /// B3, for memory that processes share: who lies about it is counted, and harms nobody but himself.
    @Suite("Bad shared memory", .timeLimit(.minutes(10)))
    struct BadSlotsTests {
        private static let capacity = 64 << 10

        /// The process that is lied to, and the liar, who says hello at the beginning of each link.
        private func withForger(
            _ body:
                @Sendable (TestMesh, Forger, _ target: Mesh, _ send: ([SlotNote]) -> Void, Link) async throws -> Void
        ) async throws {
            try await withTestMesh(.inProcess) { test in
                let echo = try await test.host { Echo(actorSystem: $0) }
                let forger = try Forger(test, target: 1)
                let link = Link()
                let send: ([SlotNote]) -> Void = { notes in
                    forger.send { buffer in
                        let (number, sequence) = link.next()
                        forger.header(to: test.meshes[1].address.peer, link: number, sequence: sequence).write(
                            to: buffer)
                        if sequence == 1 { buffer.writeHello(forger.address, .sharedMemory) }
                        for note in notes { buffer.writeSlot(note) }
                    }
                }
                try await body(test, forger, test.meshes[1], send, link)
                #expect(try await echo.text("as before") == "as before")
            }
        }

        private final class Link: @unchecked Sendable {
            // One test, one task.
            private(set) var number: UInt64 = 1
            private var last: UInt64 = 0

            func next() -> (link: UInt64, sequence: UInt64) {
                self.last += 1
                return (self.number, self.last)
            }

            /// What makes no sense has ended the one before.
            func beginAnew() { (self.number, self.last) = (self.number + 1, 0) }
        }

        @Test("memory that is not offered as it is, or is none, is not mapped")
        func offers() async throws {
            try await self.withForger { _, forger, target, send, link in
                let unsealed = try SegmentFile.memory("test")
                #expect(ftruncate(unsealed.descriptor, off_t(64 + Self.capacity)) == 0)
                let slot = try #require(
                    SharedSlot(making: 5, capacity: Self.capacity, by: forger.address.peer, for: target.address.peer))
                let others = try #require(
                    SharedSlot(making: 6, capacity: Self.capacity, by: forger.address.peer, for: PeerID(77)))
                let foreign = try #require(
                    SharedSlot(making: 7, capacity: Self.capacity, by: PeerID(77), for: target.address.peer))
                let bad: [(String, SlotNote)] = [
                    ("can become shorter", .offer(1, descriptor: unsealed.descriptor, capacity: Self.capacity)),
                    ("has another size", .offer(5, descriptor: slot.descriptor, capacity: Self.capacity - 1)),
                    ("has another number", .offer(4, descriptor: slot.descriptor, capacity: Self.capacity)),
                    ("is meant for another", .offer(6, descriptor: others.descriptor, capacity: Self.capacity)),
                    ("is another's", .offer(7, descriptor: foreign.descriptor, capacity: Self.capacity)),
                    ("is empty", .offer(8, descriptor: slot.descriptor, capacity: 0)),
                    ("is huge", .offer(9, descriptor: slot.descriptor, capacity: LendingLedger.mostBytes + 1)),
                ]
                for (what, note) in bad {
                    let before = target.badMessages.count
                    send([note])
                    #expect(try await poll { target.badMessages.count == before + 1 }, "\(what)")
                }
                // What comes behind a bad offer is read.
                let before = target.badMessages.count
                send([
                    .offer(1, descriptor: unsealed.descriptor, capacity: Self.capacity), .lent(1, count: 1, index: 0),
                ])
                #expect(try await poll { target.badMessages.count == before + 2 })
                link.beginAnew()
                // What cannot be opened is refused, which is nobody's fault.
                send([.offer(10, descriptor: 999_999, capacity: Self.capacity)])
                try await forger.roundTrip(link: link.number)
                #expect(target.peers.known(forger.address.peer)?.borrowed.count == 0)
                withExtendedLifetime((unsealed, slot, others, foreign)) {}
            }
        }

        @Test("nothing is read where nothing was lent, and what was is let go with the link")
        func loans() async throws {
            try await self.withForger { _, forger, target, send, link in
                let slot = try #require(
                    SharedSlot(making: 5, capacity: Self.capacity, by: forger.address.peer, for: target.address.peer))
                let bad: [(String, [SlotNote])] = [
                    ("no such slot", [.lent(9, count: 10, index: 0)]),
                    ("more than there is", [.lent(5, count: Self.capacity + 1, index: 0)]),
                    ("no envelope", [.lent(5, count: 10, index: 0)]),
                    ("twice at one place", [.lent(5, count: 10, index: 3), .lent(5, count: 10, index: 3)]),
                ]
                for (what, notes) in bad {
                    send([.offer(5, descriptor: slot.descriptor, capacity: Self.capacity)])
                    try await forger.roundTrip(link: link.number)
                    let peer = try #require(target.peers.known(forger.address.peer))
                    #expect(peer.borrowed.count == 1)
                    let before = target.badMessages.count
                    send(notes)
                    #expect(try await poll { target.badMessages.count == before + 1 }, "\(what)")
                    #expect(try await poll { peer.borrowed.count == 0 }, "\(what)")
                    link.beginAnew()
                }
            }
        }

        @Test("what was offered twice is offered once, and what is given up without being there is no harm")
        func givenUp() async throws {
            try await self.withForger { _, forger, target, send, link in
                let slot = try #require(
                    SharedSlot(making: 5, capacity: Self.capacity, by: forger.address.peer, for: target.address.peer))
                let offer = SlotNote.offer(5, descriptor: slot.descriptor, capacity: Self.capacity)
                send([offer])
                send([offer])
                try await forger.roundTrip(link: link.number)
                #expect(target.badMessages.count == 1)
                let peer = try #require(target.peers.known(forger.address.peer))
                #expect(peer.borrowed.count == 1)
                send([.givenUp(5), .givenUp(5), .mapped(3, true), .mapped(5, false)])
                try await forger.roundTrip(link: link.number)
                #expect(peer.borrowed.count == 0)
            }
        }

        @Test("there are only so many slots of one process")
        func many() async throws {
            try await self.withForger { _, forger, target, send, link in
                let slots = try (1...100 as ClosedRange<UInt64>).map { number in
                    try #require(
                        SharedSlot(
                            making: number, capacity: Self.capacity, by: forger.address.peer, for: target.address.peer))
                }
                for (index, slot) in slots.enumerated() {
                    send([.offer(UInt64(index + 1), descriptor: slot.descriptor, capacity: Self.capacity)])
                }
                try await forger.roundTrip(link: link.number)
                let count = target.peers.known(forger.address.peer)?.borrowed.count ?? 0
                #expect(count > 0 && count <= 2 * LendingLedger.mostSlots)
                #expect(target.badMessages.count >= 100 - count)
            }
        }
    }
}
