/// Options travel three times for each actor that is made, and most of them are as they usually are: only the others
/// are written.
extension ActorOptions {
    private static let usual = ActorOptions()

    private enum CodingKeys: CodingKey {
        case name, namespace, lifetime, maxRestarts, maxTaskRetries, resources, placement, maxConcurrency
        case maxPendingCalls, node, strategy, placementGroup, bundle, placementTimeout, backoff, supervision
    }

    /// Reads a map; what it does not have is as usual.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        for key in container.allKeys {
            switch key {
            case .name: self.name = try container.decode(String?.self, forKey: key)
            case .namespace: self.namespace = try container.decode(String?.self, forKey: key)
            case .lifetime: self.lifetime = try container.decode(Lifetime.self, forKey: key)
            case .maxRestarts: self.maxRestarts = try container.decode(Limit.self, forKey: key)
            case .maxTaskRetries: self.maxTaskRetries = try container.decode(Limit.self, forKey: key)
            case .resources: self.resources = try container.decode(Resources?.self, forKey: key)
            case .placement: self.placement = try container.decode(Placement.self, forKey: key)
            case .maxConcurrency: self.maxConcurrency = try container.decode(Int.self, forKey: key)
            case .maxPendingCalls: self.maxPendingCalls = try container.decode(Int?.self, forKey: key)
            case .node: self.node = try container.decode(String?.self, forKey: key)
            case .strategy: self.strategy = try container.decode(PlacementStrategy?.self, forKey: key)
            case .placementGroup: self.placementGroup = try container.decode(PlacementGroup?.self, forKey: key)
            case .bundle: self.bundle = try container.decode(Int?.self, forKey: key)
            case .placementTimeout: self.placementTimeout = try container.decode(Duration?.self, forKey: key)
            case .backoff: self.backoff = try container.decode(Backoff.self, forKey: key)
            case .supervision: self.supervision = try container.decode(Supervision?.self, forKey: key)
            }
        }
    }

    /// Writes a map of what is not as usual.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        let usual = Self.usual
        try container.encodeIfPresent(self.name, forKey: .name)
        try container.encodeIfPresent(self.namespace, forKey: .namespace)
        if self.lifetime != usual.lifetime { try container.encode(self.lifetime, forKey: .lifetime) }
        if self.maxRestarts != usual.maxRestarts { try container.encode(self.maxRestarts, forKey: .maxRestarts) }
        if self.maxTaskRetries != usual.maxTaskRetries {
            try container.encode(self.maxTaskRetries, forKey: .maxTaskRetries)
        }
        try container.encodeIfPresent(self.resources, forKey: .resources)
        if self.placement != usual.placement { try container.encode(self.placement, forKey: .placement) }
        if self.maxConcurrency != usual.maxConcurrency {
            try container.encode(self.maxConcurrency, forKey: .maxConcurrency)
        }
        try container.encodeIfPresent(self.maxPendingCalls, forKey: .maxPendingCalls)
        try container.encodeIfPresent(self.node, forKey: .node)
        try container.encodeIfPresent(self.strategy, forKey: .strategy)
        try container.encodeIfPresent(self.placementGroup, forKey: .placementGroup)
        try container.encodeIfPresent(self.bundle, forKey: .bundle)
        try container.encodeIfPresent(self.placementTimeout, forKey: .placementTimeout)
        if self.backoff != usual.backoff { try container.encode(self.backoff, forKey: .backoff) }
        try container.encodeIfPresent(self.supervision, forKey: .supervision)
    }
}
