/// What an object is, for a process that holds a reference to it.
package enum ObjectAnswer: Sendable, Codable {
    /// A small value.
    case value(EncodedValue)
    /// A large one: where it lies, and a value without bytes that holds the actors and objects in it.
    case stored(StoredObject, EncodedValue)
    /// The error in its place.
    case failure(EncodedError)
}

/// The same with what has to be there as long as anybody may be told it.
package struct PreparedAnswer: Sendable {
    package let answer: ObjectAnswer
    /// Where a large value was written for others.
    let stored: StoredValue?

    init(_ answer: ObjectAnswer) {
        self.answer = answer
        self.stored = nil
    }

    init(_ outcome: EncodedOutcome, on mesh: Mesh) {
        switch outcome {
        case .value(let value): self.init(.value(value))
        case .stored(let object, let holds): self.init(StoredValue(object, holds: holds, isOwn: true, on: mesh))
        case .failure(let error): self.init(.failure(error))
        case .streaming(let outcome): self.init(outcome, on: mesh)
        }
    }

    init(_ stored: StoredValue) {
        self.answer = .stored(stored.object, stored.holds)
        self.stored = stored
    }
}
