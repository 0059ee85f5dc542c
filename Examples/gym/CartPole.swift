import Glibc
import SeededRandom

/// A pole on a cart that is pushed to the left or to the right, so that the pole stays up.
///
/// The equations of motion are those of Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve
/// difficult learning control problems", IEEE Transactions on Systems, Man, and Cybernetics 13 (1983), without the
/// friction, in Euler steps of 0.02 s.
struct CartPole {
    /// Metres, metres per second, radians from upright, radians per second.
    struct State: Codable, Sendable {
        var position: Double
        var velocity: Double
        var angle: Double
        var angularVelocity: Double

        /// Whether the pole still stands, up to 12 degrees, and the cart is still on its track.
        var isUp: Bool { abs(self.position) <= 2.4 && abs(self.angle) <= 12 * .pi / 180 }
    }

    enum Action: Codable, Sendable {
        case left
        case right
    }

    private static let gravity = 9.8
    private static let force = 10.0
    private static let time = 0.02
    private static let poleMass = 0.1
    private static let mass = 1.0 + 0.1
    /// From the joint to the centre of the pole.
    private static let length = 0.5

    private(set) var state: State

    /// Nearly at rest and upright; always the same for a seed.
    init(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        self.state = State(
            position: random.uniform(-0.05, 0.05), velocity: random.uniform(-0.05, 0.05),
            angle: random.uniform(-0.05, 0.05), angularVelocity: random.uniform(-0.05, 0.05))
    }

    mutating func step(_ action: Action) {
        let force = action == .right ? Self.force : -Self.force
        let (sine, cosine) = (sin(self.state.angle), cos(self.state.angle))
        let spin = self.state.angularVelocity * self.state.angularVelocity
        let push = (force + Self.poleMass * Self.length * spin * sine) / Self.mass
        let angularAcceleration =
            (Self.gravity * sine - cosine * push)
            / (Self.length * (4.0 / 3.0 - Self.poleMass * cosine * cosine / Self.mass))
        let acceleration = push - Self.poleMass * Self.length * angularAcceleration * cosine / Self.mass

        self.state.position += Self.time * self.state.velocity
        self.state.velocity += Self.time * acceleration
        self.state.angle += Self.time * self.state.angularVelocity
        self.state.angularVelocity += Self.time * angularAcceleration
    }
}
