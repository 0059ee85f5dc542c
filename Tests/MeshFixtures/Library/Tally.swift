public import ActorMesh
import Glibc

/// Counts, and does not forget.
public distributed actor Tally: PersistentActor {
    /// What it begins with, unless something is stored.
    public struct Arguments: Codable, Sendable {
        /// Under which key it is kept; nil: under its name.
        public var key: String?
        /// The count at first.
        public var count: Int

        /// A tally that begins at 0, unless something else is given.
        public init(key: String? = nil, count: Int = 0) {
            self.key = key
            self.count = count
        }
    }

    /// What is kept.
    public struct State: Codable, Sendable {
        /// The count.
        public var count: Int
        /// The last number that each caller has added, and how many it has.
        public var marks: [String: Mark] = [:]
    }

    /// What one caller has done.
    public struct Mark: Codable, Hashable, Sendable {
        /// The last number.
        public var last: Int
        /// How many.
        public var count: Int

        /// Makes a mark.
        public init(last: Int = 0, count: Int = 0) {
            self.last = last
            self.count = count
        }
    }

    /// What is kept, as it is now.
    public var state: State
    private let key: String?
    /// Follows from the state.
    private var isEven: Bool
    private var restored = 0

    /// The key that was given, else the name.
    public var persistenceKey: String { self.key ?? self.id.name ?? "" }

    /// Makes one. It refuses to begin below 0.
    public init(_ arguments: Arguments, actorSystem: Mesh) throws {
        self.actorSystem = actorSystem
        self.key = arguments.key
        self.state = State(count: arguments.count)
        self.isEven = arguments.count.isMultiple(of: 2)
        guard arguments.count >= 0 else { throw Refusal.insufficient(missing: -arguments.count) }
    }

    /// Works out what follows from the state, and counts how often.
    public func stateRestored() {
        self.isEven = self.state.count.isMultiple(of: 2)
        self.restored += 1
    }

    /// Counts, and returns the count.
    public distributed func add(_ number: Int) -> Int {
        self.state.count += number
        self.isEven = self.state.count.isMultiple(of: 2)
        return self.state.count
    }

    /// Counts by one in a caller's name: its numbers are 1, 2, 3, …
    public distributed func mark(_ caller: String, _ number: Int) -> Int {
        self.state.marks[caller, default: Mark()].last = number
        self.state.marks[caller]?.count += 1
        return self.add(1)
    }

    /// Counts by one, with a suspension in the middle of it.
    public distributed func addInTwoSteps() async -> Int {
        self.state.count += 1
        await Task.yield()
        self.state.count += 1
        return self.state.count
    }

    /// Counts, and throws all the same.
    public distributed func addAndRefuse(_ number: Int) throws -> Int {
        self.state.count += number
        throw Refusal.insufficient(missing: number)
    }

    /// The count.
    public distributed func count() -> Int { self.state.count }

    /// What each caller has done.
    public distributed func marks() -> [String: Mark] { self.state.marks }

    /// Whether the count is even, as far as the actor knows.
    public distributed func even() -> Bool { self.isEven }

    /// How often a stored state has taken the place of the actor's.
    public distributed func restorations() -> Int { self.restored }

    /// The number of its process.
    public distributed func processID() -> Int32 { getpid() }
}
