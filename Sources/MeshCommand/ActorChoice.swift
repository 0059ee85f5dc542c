import ActorMesh

/// An actor as somebody at a keyboard names it.
struct ActorChoice {
    private let text: String
    private let namespace: String

    init(_ text: String, namespace: String) {
        self.text = text
        self.namespace = namespace
    }

    /// The one that is meant: by its name, or by the first digits of its ID.
    ///
    /// - Throws: `actorNotFound` when there is none, `invalidArgument` when the digits fit several.
    func choose(from actors: [ActorInfo]) throws(MeshError) -> ActorInfo {
        let named = actors.first { $0.name == self.text && $0.namespace == self.namespace }
        if let named { return named }
        let digits = self.text.lowercased()
        let fitting = self.isPrefixOfID ? actors.filter { $0.id.description.hasPrefix(digits) } : []
        if fitting.count > 1 {
            throw MeshError(
                .invalidArgument,
                "\(self.text) fits \(fitting.map(Self.label).joined(separator: ", ")). Give more digits.")
        }
        if let only = fitting.first { return only }
        let elsewhere = actors.filter { $0.name == self.text }.map(\.namespace).sorted()
        let hint =
            elsewhere.isEmpty
            ? "See `mesh actors` for those that live."
            : "There is one in namespace \(elsewhere.joined(separator: ", ")): use --namespace."
        throw MeshError(
            .actorNotFound, "No actor is called \"\(self.text)\" in namespace \"\(self.namespace)\". \(hint)")
    }

    private var isPrefixOfID: Bool {
        (4...32).contains(self.text.utf8.count) && self.text.utf8.allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
    }

    /// For people: `Account "savings" (1fcc75b5)`.
    static func label(_ actor: ActorInfo) -> String {
        let type = shortName(ofType: actor.typeName)
        let digits = actor.id.description.prefix(8)
        return actor.name.map { "\(type) \"\($0)\" (\(digits))" } ?? "\(type) (\(digits))"
    }
}
