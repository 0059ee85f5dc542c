/// A large value in a place of its own: it is moved and passed on as one reference, and copied when one of those who
/// have it changes it. Encoded as the value itself.
@propertyWrapper
package struct Boxed<Value: Sendable>: Sendable {
    /// `@unchecked Sendable`: the value is only changed by a `Boxed` that is the only one to have this box.
    private final class Box: @unchecked Sendable {
        var value: Value

        init(_ value: Value) { self.value = value }
    }

    private var box: Box

    package init(wrappedValue: Value) { self.box = Box(wrappedValue) }

    package var wrappedValue: Value {
        _read { yield self.box.value }
        _modify {
            if !isKnownUniquelyReferenced(&self.box) { self.box = Box(self.box.value) }
            yield &self.box.value
        }
    }
}

extension Boxed: Equatable where Value: Equatable {
    package static func == (one: Boxed, other: Boxed) -> Bool { one.wrappedValue == other.wrappedValue }
}

extension Boxed: Hashable where Value: Hashable {
    package func hash(into hasher: inout Hasher) { self.wrappedValue.hash(into: &hasher) }
}

extension Boxed: Decodable where Value: Decodable {
    package init(from decoder: any Decoder) throws { self.init(wrappedValue: try Value(from: decoder)) }
}

extension Boxed: Encodable where Value: Encodable {
    package func encode(to encoder: any Encoder) throws { try self.wrappedValue.encode(to: encoder) }
}
