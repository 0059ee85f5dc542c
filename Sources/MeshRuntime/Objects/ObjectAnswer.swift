/// What an object is, for a process that holds a reference to it.
package enum ObjectAnswer: Sendable, Codable {
    /// A small value.
    case value(EncodedValue)
    /// A large one: where it lies, and a value without bytes that holds the actors and objects in it.
    case stored(StoredObject, EncodedValue)
    /// The error in its place.
    case failure(EncodedError)
}
