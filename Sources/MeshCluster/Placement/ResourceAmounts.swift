package import MeshCore
package import MeshRuntime

/// So much of each resource, in whole numbers: what is given and taken back a million times comes out even.
package struct ResourceAmounts: Hashable, Sendable {
    /// One CPU, one GPU, one of a custom resource. The finest part of it that can be asked for is 1.
    package static let one: Int64 = 10_000

    /// In parts of which ``one`` are a CPU.
    package var cpus: Int64 = 0
    /// In parts of which ``one`` are a GPU.
    package var gpus: Int64 = 0
    /// In bytes.
    package var memory: Int64 = 0
    /// In parts of which ``one`` are one. None of them is 0.
    package var custom: [String: Int64] = [:]

    package init() {}

    package var isZero: Bool { self.cpus == 0 && self.gpus == 0 && self.memory == 0 && self.custom.isEmpty }

    // MARK: From what people write

    /// What somebody asks for.
    ///
    /// What is finer than 0.0001 is rounded down, so that the last of three who ask for a third each gets it too.
    ///
    /// - Throws: `invalidArgument` for what nobody can have: less than nothing, or half a GPU beside whole ones.
    package init(asked resources: Resources) throws(MeshError) {
        try self.init(resources)
        if self.gpus > Self.one, self.gpus % Self.one != 0 {
            throw MeshError(
                .invalidArgument,
                "\(Self.text(self.gpus)) gpus cannot be had: a part of one GPU is 1 or less, and more than one are whole "
                    + "ones. Ask for \(self.gpus / Self.one) or \(self.gpus / Self.one + 1).")
        }
    }

    /// What a node has.
    ///
    /// - Throws: `invalidArgument` for what no node can have.
    package init(offered resources: Resources) throws(MeshError) {
        try self.init(resources)
        guard self.gpus % Self.one == 0 else {
            throw MeshError(
                .invalidArgument,
                "A node has whole GPUs, not \(Self.text(self.gpus)); its actors ask for parts of them.")
        }
    }

    private init(_ resources: Resources) throws(MeshError) {
        self.cpus = try Self.parts(resources.cpus, "cpus")
        self.gpus = try Self.parts(resources.gpus, "gpus")
        guard (0...Self.mostMemory).contains(resources.memory.bytes) else {
            throw MeshError(
                .invalidArgument, "\(resources.memory.bytes) bytes of memory make no sense; it has to be 0 or more.")
        }
        self.memory = resources.memory.bytes
        for (name, amount) in resources.custom {
            try Self.check(name: name)
            let parts = try Self.parts(amount, name)
            if parts > 0 { self.custom[name] = parts }
        }
    }

    private static let mostMemory: Int64 = 1 << 56
    private static let most = 1e9

    private static func parts(_ amount: Double, _ what: String) throws(MeshError) -> Int64 {
        guard amount.isFinite, amount >= 0, amount <= Self.most else {
            throw MeshError(
                .invalidArgument, "\(amount) \(what) make no sense; it has to be a number from 0 to \(Int(Self.most)).")
        }
        // A product like 2999.9999999996 is one that was meant to be whole.
        let parts = Int64(amount * Double(Self.one) + 1e-4)
        guard parts > 0 || amount == 0 else {
            throw MeshError(.invalidArgument, "\(amount) \(what) are too little; the finest part is 0.0001.")
        }
        return parts
    }

    /// - Throws: `invalidArgument` for what cannot be the name of a custom resource.
    package static func check(name: String) throws(MeshError) {
        guard !name.isEmpty, name.utf8.count <= 128, !name.contains(where: { $0.isWhitespace || $0 == "=" }) else {
            throw MeshError(
                .invalidArgument,
                "\"\(name.prefix(64))\" is no name of a resource; it has 1 to 128 bytes, without spaces and =.")
        }
        guard !["cpu", "cpus", "gpu", "gpus", "memory"].contains(name.lowercased()) else {
            throw MeshError(
                .invalidArgument,
                "A custom resource cannot be called \"\(name)\"; CPUs, GPUs and memory have places of their own.")
        }
    }

    // MARK: For people

    /// As a node or an actor tells it.
    package var resources: Resources {
        Resources(
            cpus: Self.number(self.cpus), gpus: Self.number(self.gpus), memory: .bytes(self.memory),
            custom: self.custom.mapValues(Self.number))
    }

    private static func number(_ parts: Int64) -> Double { Double(parts) / Double(Self.one) }

    /// `2`, `0.5`: a number without what is not needed of it.
    package static func text(_ parts: Int64) -> String {
        let (whole, rest) = abs(parts).quotientAndRemainder(dividingBy: Self.one)
        let sign = parts < 0 ? "-" : ""
        guard rest > 0 else { return "\(sign)\(whole)" }
        var digits = String(rest)
        digits = String(repeating: "0", count: 4 - digits.count) + digits
        while digits.last == "0" { digits.removeLast() }
        return "\(sign)\(whole).\(digits)"
    }

    /// The kinds of which there is something, in a fixed order.
    package var kinds: [ResourceKind] {
        var kinds: [ResourceKind] = []
        if self.cpus != 0 { kinds.append(.cpus) }
        if self.gpus != 0 { kinds.append(.gpus) }
        if self.memory != 0 { kinds.append(.memory) }
        return kinds + self.custom.keys.sorted().map { .custom($0) }
    }

    package subscript(kind: ResourceKind) -> Int64 {
        get {
            switch kind {
            case .cpus: self.cpus
            case .gpus: self.gpus
            case .memory: self.memory
            case .custom(let name): self.custom[name] ?? 0
            }
        }
        set {
            switch kind {
            case .cpus: self.cpus = newValue
            case .gpus: self.gpus = newValue
            case .memory: self.memory = newValue
            case .custom(let name): self.custom[name] = newValue == 0 ? nil : newValue
            }
        }
    }
}

/// One of the resources.
package enum ResourceKind: Hashable, Sendable {
    case cpus
    case gpus
    case memory
    case custom(String)

    /// So much of it in words: `1 cpu`, `0.5 gpus`, `512 MiB of memory`, `2 license`.
    package func text(_ amount: Int64) -> String {
        let number = self.number(amount)
        return switch self {
        case .cpus: amount == ResourceAmounts.one ? "1 cpu" : "\(number) cpus"
        case .gpus: amount == ResourceAmounts.one ? "1 gpu" : "\(number) gpus"
        case .memory: "\(number) of memory"
        case .custom(let name): "\(number) \(name)"
        }
    }

    /// The number in it: `1`, `0.5`, `512 MiB`.
    package func number(_ amount: Int64) -> String {
        guard case .memory = self else { return ResourceAmounts.text(amount) }
        return ByteCount.bytes(amount).text
    }
}

extension ByteCount {
    /// For people: `512 MiB`, `1.5 GiB`.
    package var text: String {
        let units: [(name: String, size: Int64)] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        for unit in units where abs(self.bytes) >= unit.size {
            let (whole, rest) = self.bytes.quotientAndRemainder(dividingBy: unit.size)
            let tenths = abs(rest) * 10 / unit.size
            return tenths == 0 ? "\(whole) \(unit.name)" : "\(whole).\(tenths) \(unit.name)"
        }
        return self.bytes == 0 ? "0 bytes" : "\(self.bytes) bytes"
    }
}

extension Resources {
    /// For people: `1 cpu, 2 gpus (0, 1)`.
    package func text(gpuIDs: [Int]) -> String {
        guard let amounts = try? ResourceAmounts(asked: self), !amounts.isZero else { return "nothing" }
        return amounts.kinds.map { kind in
            let text = kind.text(amounts[kind])
            guard kind == .gpus, !gpuIDs.isEmpty else { return text }
            return "\(text) (\(gpuIDs.map(String.init).joined(separator: ", ")))"
        }.joined(separator: ", ")
    }
}
