import MeshCore

/// What of the tree of actors is open.
struct TreeChoice: Hashable, Sendable {
    /// Where it begins; nil: with the programs and the detached actors.
    var root: UniqueID?
    /// The actors whose children are shown; nil: as many as there is room for.
    var open: [UniqueID]?

    /// More than so many are not kept open: they stand in the address.
    static let limit = 60

    init(root: UniqueID? = nil, open: [UniqueID]? = nil) {
        self.root = root
        self.open = open
    }

    /// Reads the parameters of an address. Actors in it that there cannot be are not open.
    init(_ reader: inout ParameterReader) {
        self.root = reader.value("root", "the 32 hexadecimal digits of an actor's ID") { UniqueID($0) }
        self.open = reader.list("open")?.prefix(Self.limit).compactMap { UniqueID($0) }
    }

    var parameters: [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = []
        if let root { parameters.append(("root", root.description)) }
        if let open {
            // That nothing is open has to be said too.
            let ids = open.map(\.description).joined(separator: ".")
            parameters.append(("open", ids.isEmpty ? "." : ids))
        }
        return parameters
    }
}
