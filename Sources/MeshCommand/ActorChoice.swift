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

    /// Of those that have ended the one that is meant: the last that had the name, or the one whose ID begins so. Nil when
    /// there is none.
    ///
    /// - Throws: `invalidArgument` when the digits fit several.
    func choose(from ended: [ActorTermination]) throws(MeshError) -> UniqueID? {
        let named = ended.filter { $0.name == self.text && $0.namespace == self.namespace }
        if let last = named.max(by: { $0.date < $1.date }) { return last.actor }
        guard self.isPrefixOfID else { return nil }
        let digits = self.text.lowercased()
        let fitting = Set(ended.map(\.actor).filter { $0.description.hasPrefix(digits) })
        if fitting.count > 1 {
            let all = fitting.map { String($0.description.prefix(12)) }.sorted()
            throw MeshError(
                .invalidArgument,
                "\(self.text) fits \(all.joined(separator: ", ")), which have ended. Give more digits.")
        }
        return fitting.first
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
