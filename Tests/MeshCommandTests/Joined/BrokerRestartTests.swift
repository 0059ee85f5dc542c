import Foundation
import Testing

extension Commands {
    @Suite("A broker that comes back", .serialized)
    struct BrokerRestartTests {
        @Test("calls go on while the broker is away; names resolve again, and actors can be made, when it is back")
        func restart() async throws {
            try await Scene.run { scene in
                let broker = try await scene.broker()
                _ = try await scene.node()
                let (one, two) = (try await scene.driver(), try await scene.driver())
                #expect(try await one.ask("spawn one").hasPrefix("spawned"))
                #expect(try await one.ask("spawn kept detached").hasPrefix("spawned"))
                #expect(try await two.ask("find one") == "found one")
                broker.signal(SIGKILL)
                try await broker.status()
                #expect(try await one.ask("call one") == "one is 1")
                #expect(try await two.ask("call one") == "one is 2")
                try await eventually("the loss is noticed") {
                    try await one.ask("find kept").hasPrefix("error brokerUnavailable")
                }
                _ = try await scene.broker(at: scene.mesh)
                try await eventually("the name resolves again") { try await two.ask("find kept") == "found kept" }
                #expect(try await two.ask("call kept") == "kept is 1")
                try await eventually("the other joins again") { try await one.ask("actors") == "actors kept one" }
                #expect(try await one.ask("call one") == "one is 3")
                #expect(try await one.ask("look one kept") == "one sees 2")
                #expect(try await two.ask("spawn two").hasPrefix("spawned"))
                #expect(try await one.ask("squares 3") == "sum 14")
                one.closeInput()
                #expect(try await one.status() == 0)
                try await eventually("its actors end") { try await two.ask("actors") == "actors kept two" }
            }
        }

        @Test("the actors of a driver that ended while the broker was away end when it is back")
        func ownerGone() async throws {
            try await Scene.run { scene in
                let broker = try await scene.broker()
                _ = try await scene.node()
                let (one, two) = (try await scene.driver(), try await scene.driver())
                let spawned = try await one.ask("spawn one")
                let worker = try #require(Int32(spawned.split(separator: " ").last ?? ""))
                broker.signal(SIGKILL)
                try await broker.status()
                one.signal(SIGKILL)
                try await one.status()
                _ = try await scene.broker(at: scene.mesh)
                try await ended(worker)
                try await eventually("the broker forgets") { try await two.ask("actors") == "actors " }
            }
        }
    }
}
