public import ActorMesh

/// Hands itself out while it is being made.
public distributed actor Newborn: RemoteActor {
    /// What it is made with.
    public struct Arguments: Codable, Sendable {
        var godparent: Godparent
        var meeting: Godparent.Meeting
        var fails: Bool

        /// Makes some.
        public init(_ godparent: Godparent, _ meeting: Godparent.Meeting, fails: Bool = false) {
            self.godparent = godparent
            self.meeting = meeting
            self.fails = fails
        }
    }

    private var numbers: [Int] = []

    /// Returns when the godparent has met it.
    public init(_ arguments: Arguments, actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        try await arguments.godparent.meet(self, arguments.meeting)
        self.numbers = [0]
        if arguments.fails { throw Refusal.closed }
    }

    /// Notes a number, and returns all.
    public distributed func note(_ number: Int) -> [Int] {
        self.numbers.append(number)
        return self.numbers
    }
}

/// Calls actors that are being made.
public distributed actor Godparent: RemoteActor {
    /// What it does with one.
    public enum Meeting: String, Codable, Sendable {
        /// Calls it three times, and awaits none of the calls.
        case submit
        /// Calls it and awaits that.
        case await
    }

    private var calls: [ObjectRef<[Int]>] = []

    /// Makes one that has met nobody.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Meets one.
    public distributed func meet(_ newborn: Newborn, _ meeting: Meeting) async throws {
        switch meeting {
        case .submit:
            for number in 1...3 {
                self.calls.append(try await self.actorSystem.submit { try await newborn.note(number) })
            }
        case .await: _ = try await newborn.note(1)
        }
    }

    /// What came of the calls.
    public distributed func outcomes() async throws -> [[Int]] { try await self.actorSystem.get(self.calls) }
}
