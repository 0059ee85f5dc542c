import FoundationEssentials
import MeshCore
import MeshTesting
import MeshTransportInProcess
import Testing

@testable import MeshRuntime

extension Integration {
    /// Programs that were built with different versions of the protocol know why they do not understand each other.
    @Suite("Versions of the protocol", .timeLimit(.minutes(10)))
    struct VersionsTests {
        /// A process that speaks version 9: a header with two fields more, and a greeting that is like all others.
        private struct Stranger {
            let transport: InProcessTransport
            let address: PeerAddress

            init(_ test: TestMesh) {
                self.transport = test.hub.makeTransport()
                var address = test.meshes[0].address
                address.peer = PeerID(0x5747)
                address.endpoints = self.transport.endpoints
                self.address = address
            }

            func greeting(to peer: PeerID) -> OutboundMessage {
                let buffer = WireBuffer(capacity: 256)
                buffer.writeArrayHeader(9)
                for number in [9, self.address.peer.number, peer.number, 1, 2, 3, 4, 5, 6] { buffer.write(number) }
                buffer.writeHello(self.address)
                return OutboundMessage(head: buffer)
            }

            @concurrent func receive() async -> InboundMessage? { self.transport.receive(waiting: true) }
        }

        @Test("who greets in another version is answered, in this one")
        func greeted() async throws {
            try await withTestMesh(.inProcess) { test in
                let stranger = Stranger(test)
                let channel = try stranger.transport.connect(to: test.meshes[1].address.endpoints[0])
                #expect(channel.send(stranger.greeting(to: .anyone)))
                let answer = try #require(await stranger.receive())
                let header = try withExtendedLifetime(answer) {
                    var reader = WireReader(answer.head)
                    return try BatchHeader(from: &reader)
                }
                #expect(header.from == test.meshes[1].address.peer && header.to == stranger.address.peer)
                #expect(test.meshes[1].badMessages.count > 0)
            }
        }

        @Test("whoever greets where nobody answers is told so when his time is over, however short that is")
        func noTime() async throws {
            try await withTestMesh(.inProcess) { test in
                for _ in 0..<500 {
                    let answer1 = try await test.meshes[0].greet("memory://nobody", timeout: .zero)
                    #expect(answer1 == nil)
                    let answer2 = try await test.meshes[0].greet("memory://nobody", timeout: .microseconds(10))
                    #expect(answer2 == nil)
                }
            }
        }

        @Test("whoever is answered in another version is told so, long before the time is over")
        func greeting() async throws {
            try await withTestMesh(.inProcess) { test in
                let stranger = Stranger(test)
                let answer = Task {
                    _ = await stranger.receive()
                    let channel = try stranger.transport.connect(to: test.meshes[0].address.endpoints[0])
                    #expect(channel.send(stranger.greeting(to: test.meshes[0].address.peer)))
                }
                let error = await #expect(throws: MeshError.self) {
                    try await test.meshes[0].greet(stranger.transport.endpoints[0], timeout: .seconds(3600))
                }
                #expect(error?.code == .protocolMismatch)
                #expect(error?.message.contains("version 9") == true)
                try await answer.value
            }
        }

        @Test("what only looks like a greeting of another version is none")
        func noGreeting() {
            for bytes: [UInt8] in [
                [], [0x91, 9], [0x93, 9, 1, 0], [0x93, 9, 1, 2], [0x9f, 9, 1, 0], [0xdd, 255, 255, 255, 255],
            ] {
                bytes.withUnsafeBytes { #expect(ForeignGreeting($0) == nil) }
            }
        }
    }
}
