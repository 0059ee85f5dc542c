import ActorMesh
import MeshCore

/// One of the pages that show the mesh, with what is chosen on it. Its address says all of that, so that it can be kept,
/// sent to somebody, and gone back to.
enum Page: Hashable, Sendable {
    case overview
    case nodes
    case actors(ActorQuery)
    case ended(ActorQuery)
    case actor(UniqueID)
    case tree(TreeChoice)
    case tasks
    case objects
    case logs(LogChoice)

    /// - Parameter reader: notes the parameters that make no sense; the page is that without them.
    /// - Returns: nil when there is no such page.
    init?(path: [String], _ reader: inout ParameterReader) {
        switch path {
        case []: self = .overview
        case ["nodes"]: self = .nodes
        case ["actors"]: self = .actors(ActorQuery(&reader))
        case ["actors", "ended"]: self = .ended(ActorQuery(&reader))
        case ["tree"]: self = .tree(TreeChoice(&reader))
        case ["tasks"]: self = .tasks
        case ["objects"]: self = .objects
        case ["logs"]: self = .logs(LogChoice(&reader))
        default:
            guard path.count == 2, path[0] == "actors", let id = UniqueID(path[1]) else { return nil }
            self = .actor(id)
        }
    }

    /// The address of this page.
    var target: Target {
        switch self {
        case .overview: Target()
        case .nodes: Target("nodes")
        case .actors(let query): Target("actors", query: query.parameters)
        case .ended(let query): Target("actors", "ended", query: query.parameters)
        case .actor(let id): Target("actors", id.description)
        case .tree(let choice): Target("tree", query: choice.parameters)
        case .tasks: Target("tasks")
        case .objects: Target("objects")
        case .logs(let choice): Target("logs", query: choice.parameters)
        }
    }

    /// What the navigation calls the part of the site to which it belongs.
    var section: Section {
        switch self {
        case .overview: .overview
        case .nodes: .nodes
        case .actors, .ended, .actor: .actors
        case .tree: .tree
        case .tasks: .tasks
        case .objects: .objects
        case .logs: .logs
        }
    }

    /// Which records of the log are on it, if any are.
    var logChoice: LogChoice? {
        switch self {
        case .logs(let choice): choice
        case .actor(let id): LogChoice(actor: id.description, limit: 50)
        default: nil
        }
    }

    enum Section: String, CaseIterable {
        case overview = "Overview"
        case nodes = "Nodes"
        case actors = "Actors"
        case tree = "Tree"
        case tasks = "Tasks"
        case objects = "Objects"
        case logs = "Logs"

        var page: Page {
            switch self {
            case .overview: .overview
            case .nodes: .nodes
            case .actors: .actors(ActorQuery())
            case .tree: .tree(TreeChoice())
            case .tasks: .tasks
            case .objects: .objects
            case .logs: .logs(LogChoice())
            }
        }
    }
}

extension ActorQuery {
    /// Reads the parameters of an address.
    init(_ reader: inout ParameterReader) {
        let states = alternatives(ActorInfo.State.allCases.map(\.rawValue))
        let orders = alternatives(Order.allCases.map(\.rawValue))
        self.init(
            text: reader.text("text") ?? "",
            states: Set(reader.values("state", states, ActorInfo.State.init(rawValue:))), node: reader.text("node"),
            type: reader.text("type"), namespace: reader.text("namespace"),
            parent: reader.value("parent", Parent.words, Parent.init(parameter:)),
            order: reader.value("order", orders, Order.init(rawValue:)) ?? .name,
            isDescending: reader.flag("descending"),
            offset: reader.number("offset", from: 0, to: 1 << 40, standard: 0),
            limit: reader.number("limit", from: 1, to: Self.maximumLimit, standard: 100))
    }

    /// What `init` reads, without what is as always.
    var parameters: [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = [("text", self.text)]
        parameters += self.states.map(\.rawValue).sorted().map { ("state", $0) }
        parameters += [
            ("node", self.node ?? ""), ("type", self.type ?? ""), ("namespace", self.namespace ?? ""),
            ("parent", self.parent?.parameter ?? ""), ("order", self.order == .name ? "" : self.order.rawValue),
            ("descending", self.isDescending ? "yes" : ""), ("offset", self.offset == 0 ? "" : "\(self.offset)"),
            ("limit", self.limit == 100 ? "" : "\(self.limit)"),
        ]
        return parameters.filter { !$0.value.isEmpty }
    }

    /// Whether anything is chosen.
    var isFiltered: Bool {
        !self.text.isEmpty || !self.states.isEmpty || self.node != nil || self.type != nil || self.namespace != nil
            || self.parent != nil
    }
}

extension ActorQuery.Parent {
    /// `nobody`, `program-…`, or the number of an actor.
    var parameter: String {
        switch self {
        case .actor(let id): id.description
        case .program(let process): "program-\(process)"
        case .nobody: "nobody"
        }
    }

    /// What `init` takes.
    static let words = "the 32 hexadecimal digits of an actor's ID, program- and the 16 of a process, or nobody"

    init?(parameter: String) {
        if parameter == "nobody" {
            self = .nobody
        } else if parameter.hasPrefix("program-") {
            guard let process = PeerID(digits: parameter.dropFirst("program-".count)) else { return nil }
            self = .program(process)
        } else {
            guard let id = UniqueID(parameter) else { return nil }
            self = .actor(id)
        }
    }
}

extension PeerID {
    /// Reads what `description` writes.
    init?(digits: some StringProtocol) {
        guard digits.utf8.count == 16, digits.utf8.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
            let number = UInt64(digits, radix: 16)
        else { return nil }
        self.init(number)
    }
}
