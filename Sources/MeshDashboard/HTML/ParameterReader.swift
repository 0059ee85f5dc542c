/// A parameter of an address that makes no sense.
struct ParameterProblem: Hashable, Sendable {
    var name: String
    var value: String
    /// What it takes: `yes or no`.
    var expected: String

    /// For people and programs.
    var text: String {
        let shown = self.value.count > 40 ? "\(self.value.prefix(40))…" : self.value
        return "\(self.name) takes \(self.expected), not \"\(shown)\"."
    }
}

/// Reads what an address chooses, and notes what makes no sense in it: whoever asks for something that there cannot be
/// must not be shown everything instead.
struct ParameterReader {
    private let parameters: QueryParameters
    private(set) var problems: [ParameterProblem] = []

    /// Longer texts are cut.
    private static let longestText = 200

    init(_ parameters: QueryParameters) { self.parameters = parameters }

    /// Any text; nil for none.
    func text(_ name: String) -> String? { self.parameters[name].map { String($0.prefix(Self.longestText)) } }

    /// The parts of a text between dots, however long it is; nil when there is none, not even an empty one.
    func list(_ name: String) -> [String]? {
        guard self.parameters.has(name) else { return nil }
        return (self.parameters[name] ?? "").split(separator: ".").map(String.init)
    }

    /// A parameter that a closure understands; nil when it is missing, or was not understood.
    mutating func value<Value>(_ name: String, _ expected: String, _ parse: (String) -> Value?) -> Value? {
        guard let text = self.text(name) else { return nil }
        return self.parse(name, text, expected, parse)
    }

    /// The same of a parameter that may come several times.
    mutating func values<Value>(_ name: String, _ expected: String, _ parse: (String) -> Value?) -> [Value] {
        self.parameters.all(name).compactMap { self.parse(name, String($0.prefix(Self.longestText)), expected, parse) }
    }

    /// A whole number, which is cut where it is more than `most`.
    mutating func number(_ name: String, from least: Int, to most: Int, standard: Int) -> Int {
        let number = self.value(name, "a whole number from \(least) up") { text -> Int? in
            guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
                return nil
            }
            let number = min(Int(text) ?? .max, most)
            return number >= least ? number : nil
        }
        return number ?? standard
    }

    /// `yes` or `no`.
    mutating func flag(_ name: String) -> Bool {
        self.value(name, "yes or no") { ["yes": true, "no": false][$0] } ?? false
    }

    private mutating func parse<Value>(
        _ name: String, _ text: String, _ expected: String, _ parse: (String) -> Value?
    ) -> Value? {
        if let value = parse(text) { return value }
        self.problems.append(ParameterProblem(name: name, value: text, expected: expected))
        return nil
    }
}

/// `name, type or state`
func alternatives(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return "\(words.dropLast().joined(separator: ", ")) or \(last)"
}
