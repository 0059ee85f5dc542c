/// Stands for an error that a remote method threw and that could not travel as itself, because its type is not
/// `Codable` or the caller's program does not have it.
public struct RemoteCallError: Error, Hashable, Sendable, Codable {
    /// The type of the error that was thrown, as its program names it.
    public var typeName: String
    /// What the error said of itself.
    public var reason: String
    /// The method that threw it, for example `Account.withdraw(_:)`.
    public var method: String

    /// Makes a description of an error.
    public init(typeName: String, reason: String, method: String) {
        self.typeName = typeName
        self.reason = reason
        self.method = method
    }
}

extension RemoteCallError: CustomStringConvertible {
    /// `method threw type: reason`.
    public var description: String { "\(self.method) threw \(self.typeName): \(self.reason)" }
}
