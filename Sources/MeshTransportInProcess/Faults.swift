/// What a network does to messages. Each is the share of messages, from 0 to 1, to which it happens.
public struct Faults: Sendable, Hashable {
    /// Lost.
    public var drop: Double
    /// Delivered twice.
    public var duplicate: Double
    /// Delivered late, and so perhaps after others that were sent later.
    public var delay: Double
    /// How late at the most.
    public var maximumDelay: Duration

    /// By default nothing happens.
    public init(
        drop: Double = 0, duplicate: Double = 0, delay: Double = 0, maximumDelay: Duration = .milliseconds(20)
    ) {
        self.drop = drop
        self.duplicate = duplicate
        self.delay = delay
        self.maximumDelay = maximumDelay
    }

    /// A network that does its work.
    public static let none = Faults()

    /// When the copies of one message arrive, as delays: none when it is lost.
    package func deliveries<Generator: RandomNumberGenerator>(
        using generator: inout Generator
    ) -> [Duration] {
        var deliveries: [Duration] = []
        let copies = Self.happens(self.duplicate, &generator) ? 2 : 1
        for _ in 0..<copies where !Self.happens(self.drop, &generator) {
            let isLate = Self.happens(self.delay, &generator)
            let share = Double.random(in: 0..<1, using: &generator)
            deliveries.append(isLate ? self.maximumDelay * share : .zero)
        }
        return deliveries
    }

    private static func happens<Generator: RandomNumberGenerator>(
        _ share: Double, _ generator: inout Generator
    ) -> Bool { share > 0 && Double.random(in: 0..<1, using: &generator) < share }
}
