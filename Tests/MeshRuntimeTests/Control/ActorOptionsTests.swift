import FoundationEssentials
import MeshCore
import MeshMessagePack
import Testing

@testable import MeshRuntime

@Suite struct ActorOptionsTests {
    /// Options of which none is as usual.
    private static let unusual = ActorOptions(
        name: "a", namespace: "b", lifetime: .detached, maxRestarts: .unlimited, maxTaskRetries: 2,
        resources: Resources(cpus: 1), placement: .shared, maxConcurrency: 3, maxPendingCalls: 4, node: "c",
        strategy: .pack, placementGroup: PlacementGroup(id: UniqueID(high: 1, low: 2), count: 5), bundle: 4,
        placementTimeout: .seconds(6), backoff: Backoff(initial: .seconds(7)),
        supervision: Supervision(maxRestarts: 8))

    private func coded(_ options: ActorOptions) throws -> ActorOptions {
        try MessagePackDecoder().decode(ActorOptions.self, from: try MessagePackEncoder().encode(options))
    }

    @Test("options come back as they were, each of them")
    func roundTrip() throws {
        #expect(try self.coded(Self.unusual) == Self.unusual)
        #expect(try self.coded(ActorOptions()) == ActorOptions())
        // A new option has to be among those that are tested.
        let usual = Dictionary(
            uniqueKeysWithValues: Mirror(reflecting: ActorOptions()).children.map { ($0.label, "\($0.value)") })
        for child in Mirror(reflecting: Self.unusual).children {
            #expect("\(child.value)" != usual[child.label], "\(child.label ?? "")")
        }
    }

    @Test("what is as usual takes no room")
    func usual() throws {
        #expect(try MessagePackEncoder().encode(ActorOptions()) == Data([0x80]))
    }
}
