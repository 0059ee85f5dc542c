/// What is cut off of a host.
enum Cut: String, CaseIterable {
    case everything
    case fromBroker
    case toBroker

    /// Cuts it off of one that has a node.
    func make(_ network: Network, _ host: NetworkHost) throws {
        let broker = try network["broker"]
        switch self {
        case .everything: network.isolate(host)
        case .fromBroker: network.cut(from: broker, to: host)
        case .toBroker: network.cut(from: host, to: broker)
        }
    }
}
