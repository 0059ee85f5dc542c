public import ActorMesh
public import FoundationEssentials

/// Gives back what it gets, in all the shapes that arguments and results have.
public distributed actor Echo: RemoteActor {
    private var calls = 0

    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Nothing for nothing.
    public distributed func nothing() { self.calls += 1 }

    /// How often `nothing` was called.
    public distributed func count() -> Int { self.calls }

    /// A text.
    public distributed func text(_ text: String) -> String { text }

    /// A text or none.
    public distributed func optional(_ text: String?) -> String? { text }

    /// Several at once.
    public distributed func several(_ a: Int, _ b: [String: [Int]], _ c: Double?, _ d: Data) -> Several {
        Several(a: a, b: b, c: c, d: d)
    }

    /// Bytes.
    public distributed func data(_ data: Data) -> Data { data }

    /// Several pieces of bytes, the other way round.
    public distributed func reversed(_ data: [Data]) -> [Data] { data.reversed() }

    /// So many bytes.
    public distributed func zeros(_ count: Int) -> Data { Data(count: count) }

    /// A map with integer keys, which must stay integers.
    public distributed func keyed(_ map: [Int: [String]]) -> [Int: [String]] { map }

    /// Any value.
    public distributed func generic<Value: Codable & Sendable>(_ value: Value) -> Value { value }

    /// Two values of any types.
    public distributed func pair<First: Codable & Sendable, Second: Codable & Sendable>(
        _ first: First, _ second: Second
    ) -> Pair<First, Second> { Pair(first: first, second: second) }

    /// Fails with an error that travels.
    public distributed func refuse() throws { throw Refusal.insufficient(missing: 7) }

    /// Fails with one that does not.
    public distributed func whim() throws -> Int { throw Whim(reason: "no reason") }

    /// Fails with an error that travels, from a generic method.
    public distributed func refuseGeneric<Value: Codable & Sendable>(_ value: Value) throws -> Value {
        throw Refusal.closed
    }

    /// Several values.
    public struct Several: Codable, Hashable, Sendable {
        /// A number.
        public var a: Int
        /// A map.
        public var b: [String: [Int]]
        /// A number or none.
        public var c: Double?
        /// Bytes.
        public var d: Data

        /// Makes one.
        public init(a: Int, b: [String: [Int]], c: Double?, d: Data) {
            (self.a, self.b, self.c, self.d) = (a, b, c, d)
        }
    }

    /// Two values.
    public struct Pair<First: Codable & Sendable, Second: Codable & Sendable>: Codable, Sendable {
        /// The one.
        public var first: First
        /// The other.
        public var second: Second

        /// Makes a pair.
        public init(first: First, second: Second) { (self.first, self.second) = (first, second) }
    }
}
