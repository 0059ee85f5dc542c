/// An error that travels as itself.
public enum Refusal: Error, Codable, Hashable, Sendable {
    /// There is not enough.
    case insufficient(missing: Int)
    /// Not now.
    case closed
}

/// An error that cannot travel: it is not `Codable`.
public struct Whim: Error, Sendable {
    /// Why.
    public var reason: String

    /// Makes one.
    public init(reason: String) { self.reason = reason }
}
