import Foundation
import MeshMessagePack
import Testing

/// What hand-written `encode(to:)` and `init(from:)` may do with containers.
@Suite struct ContainerTests {
    enum Key: String, CodingKey { case a, b, c, inner }

    /// Encodes with a closure.
    struct Writer: Encodable {
        let body: (any Encoder) throws -> Void
        func encode(to encoder: any Encoder) throws { try self.body(encoder) }
    }

    private func value(_ body: @escaping (any Encoder) throws -> Void) throws -> MessagePackValue {
        try decode(MessagePackValue.self, encode(Writer(body: body)))
    }

    @Test("nested containers may be filled in any order")
    func interleaved() throws {
        let value = try self.value { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            var first = outer.nestedContainer(keyedBy: Key.self, forKey: .a)
            try outer.encode(1, forKey: .b)
            var second = outer.nestedUnkeyedContainer(forKey: .c)
            try first.encode("late", forKey: .a)
            try second.encode(true)
            var third = second.nestedUnkeyedContainer()
            try second.encode(false)
            try third.encode(3)
            try first.encode("later", forKey: .b)
        }
        #expect(
            value
                == .map([
                    .string("a"): .map([.string("a"): .string("late"), .string("b"): .string("later")]),
                    .string("b"): .int(1),
                    .string("c"): .array([.bool(true), .array([.int(3)]), .bool(false)]),
                ])
        )
    }

    @Test("many nested containers in an array keep their order")
    func manyNested() throws {
        let value = try self.value { encoder in
            var outer = encoder.unkeyedContainer()
            for index in 0..<100 {
                var inner = outer.nestedUnkeyedContainer()
                try inner.encode(index)
                if index.isMultiple(of: 3) { try outer.encode(index) }
            }
        }
        let expected = (0..<100).flatMap { index -> [MessagePackValue] in
            let item = MessagePackValue.int(Int64(index))
            return index.isMultiple(of: 3) ? [.array([item]), item] : [.array([item])]
        }
        #expect(value == .array(expected))
    }

    @Test("a key encoded twice keeps the last value, and a nested container asked for twice goes on")
    func repeatedKeys() throws {
        let value = try self.value { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            try outer.encode(1, forKey: .a)
            var inner = outer.nestedContainer(keyedBy: Key.self, forKey: .inner)
            try inner.encode(1, forKey: .a)
            try outer.encode("two", forKey: .a)
            inner = outer.nestedContainer(keyedBy: Key.self, forKey: .inner)
            try inner.encode(2, forKey: .b)
        }
        #expect(
            value
                == .map([
                    .string("a"): .string("two"),
                    .string("inner"): .map([.string("a"): .int(1), .string("b"): .int(2)]),
                ])
        )
        let large = try self.value { encoder in
            var outer = encoder.container(keyedBy: Name.self)
            for round in 0..<2 { for index in 0..<40 { try outer.encode(round, forKey: Name(index)) } }
        }
        #expect(large == .map(Dictionary(uniqueKeysWithValues: (0..<40).map { (.string("k\($0)"), .int(1)) })))
    }

    @Test("a value that fails half way and is passed over leaves nothing behind")
    func failedValue() throws {
        struct Failure: Error {}
        let value = try self.value { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            try outer.encode(1, forKey: .a)
            try? outer.encode(
                Writer { inner in
                    var container = inner.container(keyedBy: Key.self)
                    try container.encode([1, 2, 3], forKey: .a)
                    throw Failure()
                },
                forKey: .b
            )
            try outer.encode(3, forKey: .c)
        }
        #expect(value == .map([.string("a"): .int(1), .string("c"): .int(3)]))
    }

    @Test("a nested value that encodes nothing is an empty map; at the top it is an error")
    func nothing() throws {
        #expect(try self.value { try $0.encodeSingle(Writer { _ in }) } == .map([:]))
        #expect(try encode([Writer { _ in }]) == bytes("91 80"))
        #expect(throws: EncodingError.self) { try encode(Writer { _ in }) }
    }

    @Test("a container used outside its turn is refused")
    func outsideItsTurn() throws {
        var kept: KeyedEncodingContainer<Key>?
        _ = try encode(Writer { kept = $0.container(keyedBy: Key.self) })
        #expect(throws: EncodingError.self) { try kept?.encode(1, forKey: .a) }
        #expect(throws: EncodingError.self) {
            try encode(
                Writer { encoder in
                    var outer = encoder.container(keyedBy: Key.self)
                    let copy = outer
                    try outer.encode(
                        Writer { _ in
                            var copy = copy
                            try copy.encode(1, forKey: .b)
                        },
                        forKey: .a
                    )
                }
            )
        }
    }

    @Test("an encoder kept beyond its turn writes nothing into the bytes of others")
    func keptEncoder() throws {
        var kept: [any Encoder] = []
        let value = try self.value { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            kept.append(outer.superEncoder())
            try outer.encode(Writer { kept.append($0) }, forKey: .a)
            for encoder in kept.dropFirst() {
                var container = encoder.container(keyedBy: Key.self)
                #expect(throws: EncodingError.self) { try container.encode(1, forKey: .a) }
                _ = container.nestedUnkeyedContainer(forKey: .b)
                var items = encoder.unkeyedContainer()
                #expect(throws: EncodingError.self) { try items.encode(1) }
                var inner = items.nestedUnkeyedContainer()
                try inner.encode(1)
                var single = encoder.singleValueContainer()
                #expect(throws: EncodingError.self) { try single.encode(1) }
            }
            try outer.encode(2, forKey: .b)
        }
        #expect(value == .map([.string("super"): .map([:]), .string("a"): .map([:]), .string("b"): .int(2)]))
        for encoder in kept {
            var container = encoder.unkeyedContainer()
            #expect(throws: EncodingError.self) { try container.encode(1) }
        }
    }

    @Test("a decoder kept beyond its call finds nothing")
    func keptDecoder() throws {
        struct Keeper: Decodable {
            let decoder: any Decoder
            let keyed: KeyedDecodingContainer<Key>
            init(from decoder: any Decoder) throws {
                self.decoder = decoder
                self.keyed = try decoder.container(keyedBy: Key.self)
            }
        }
        let keeper = try decode(Keeper.self, encode(["a": 1]))
        #expect(keeper.keyed.allKeys.isEmpty)
        #expect(throws: DecodingError.self) { try keeper.keyed.decode(Int.self, forKey: .a) }
        #expect(throws: DecodingError.self) { try keeper.decoder.singleValueContainer().decode(Int.self) }
        #expect(throws: DecodingError.self) { try keeper.decoder.unkeyedContainer() }
        #expect(throws: DecodingError.self) { try keeper.decoder.singleValueContainer().decode([Int].self) }
    }

    class Animal: Codable {
        var name = "cat"
        init() {}
    }

    final class Cat: Animal {
        var lives = 9
        enum CodingKeys: String, CodingKey { case lives }
        override init() { super.init() }
        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.lives = try container.decode(Int.self, forKey: .lives)
            try super.init(from: container.superDecoder())
        }
        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try super.encode(to: container.superEncoder())
            try container.encode(self.lives, forKey: .lives)
        }
    }

    final class Dog: Animal {
        var tricks = 3
        enum CodingKeys: String, CodingKey { case tricks }
        override init() { super.init() }
        required init(from decoder: any Decoder) throws {
            try super.init(from: decoder)
            self.tricks = try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .tricks)
        }
        override func encode(to encoder: any Encoder) throws {
            try super.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(self.tricks, forKey: .tricks)
        }
    }

    @Test("superclasses through super encoders, and through the same encoder")
    func superclasses() throws {
        let cat = Cat()
        cat.name = "tom"
        cat.lives = 7
        let again = try roundTrip(cat)
        #expect(again.name == "tom")
        #expect(again.lives == 7)
        #expect(
            try decode(MessagePackValue.self, encode(cat))
                == .map([.string("super"): .map([.string("name"): .string("tom")]), .string("lives"): .int(7)])
        )
        let dog = Dog()
        dog.tricks = 5
        #expect(try roundTrip(dog).tricks == 5)
        #expect(try roundTrip(dog).name == "cat")
    }

    @Test("enums with payloads, nested in one another")
    func enums() throws {
        indirect enum Tree: Codable, Equatable {
            case leaf
            case node(Tree, value: Int, Tree)
        }
        let tree = Tree.node(.node(.leaf, value: 1, .leaf), value: 2, .leaf)
        #expect(try roundTrip(tree) == tree)
        #expect(try roundTrip([tree, .leaf]) == [tree, .leaf])
    }

    @Test("unkeyed decoding: nil moves on only when there, nested and super decoders step over their value")
    func unkeyedDecoding() throws {
        struct Reader: Decodable {
            init(from decoder: any Decoder) throws {
                var items = try decoder.unkeyedContainer()
                #expect(items.count == 6)
                #expect(try !items.decodeNil())
                #expect(try items.decode(Int.self) == 1)
                #expect(try items.decodeNil())
                #expect(throws: DecodingError.self) { try items.decode(Int.self) }
                #expect(try items.decode(String.self) == "x")
                var inner = try items.nestedUnkeyedContainer()
                #expect(try inner.decode([Int].self) == [2, 3])
                let named = try items.nestedContainer(keyedBy: Key.self)
                #expect(named.allKeys == [.a])
                #expect(try named.decodeIfPresent(Int.self, forKey: .a) == 5)
                #expect(try named.decodeIfPresent(Int.self, forKey: .b) == nil)
                #expect(try items.superDecoder().singleValueContainer().decode(Bool.self))
                #expect(items.isAtEnd)
                #expect(throws: DecodingError.self) { try items.decode(Int.self) }
                #expect(throws: DecodingError.self) { try items.decodeNil() }
            }
        }
        _ = try decode(Reader.self, bytes("96 01 c0 a178 91 92 02 03 81 a161 05 c3"))
    }

    @Test("large maps are read in any order")
    func largeMaps() throws {
        struct Reader: Decodable {
            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: Name.self)
                #expect(container.allKeys.count == 20_000)
                for index in (0..<20_000).reversed() {
                    #expect(try container.decode(Int.self, forKey: Name(index)) == index)
                }
                #expect(!container.contains(Name(20_000)))
            }
        }
        _ = try decode(Reader.self, encode(Dictionary(uniqueKeysWithValues: (0..<20_000).map { ("k\($0)", $0) })))
    }
}

extension Encoder {
    fileprivate func encodeSingle(_ value: some Encodable) throws {
        var container = self.singleValueContainer()
        try container.encode(value)
    }
}
