import CMeshPlatform
import DequeModule
package import MeshCore
import Synchronization

/// Waits for the answers of processes of which only the address is known.
final class Greetings: Sendable {
    private struct State {
        var waiting: [UInt64: UnsafeContinuation<PeerAddress?, Never>] = [:]
        var hasEnded = false
        /// The last other version of the protocol in which somebody spoke while there were greetings.
        var foreignVersion: UInt64?
        /// When somebody who speaks another version was last answered.
        var lastAnswer: UInt64 = 0
    }

    private let state = Mutex(State())

    func answer(_ number: UInt64, from address: PeerAddress) {
        self.state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(returning: address)
    }

    func giveUp(_ number: UInt64) {
        self.state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(returning: nil)
    }

    func noteVersion(_ version: UInt64) {
        self.state.withLock { if !$0.waiting.isEmpty { $0.foreignVersion = version } }
    }

    var foreignVersion: UInt64? { self.state.withLock { $0.foreignVersion } }

    /// Whether one more peer of another version may be answered: each answer is a connection.
    func mayAnswer(at now: UInt64) -> Bool {
        self.state.withLock { state in
            guard now >= state.lastAnswer + 50_000_000 else { return false }
            state.lastAnswer = now
            return true
        }
    }

    func waits(for number: UInt64) -> Bool { self.state.withLock { $0.waiting[number] != nil } }

    /// Nobody will answer any more.
    func end() {
        let waiting = self.state.withLock { state in
            state.hasEnded = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume(returning: nil) }
    }

    func wait(for number: UInt64, _ start: () -> Void) async -> PeerAddress? {
        await withUnsafeContinuation { continuation in
            let hasEnded = self.state.withLock { state in
                if state.waiting.isEmpty { state.foreignVersion = nil }
                if !state.hasEnded { state.waiting[number] = continuation }
                return state.hasEnded
            }
            if hasEnded { continuation.resume(returning: nil) } else { start() }
        }
    }
}

extension Mesh {
    /// Finds out which process listens at an address.
    ///
    /// - Returns: its full address, or nil when nobody answered within the time.
    /// - Throws: `invalidArgument` for an address that makes no sense; `protocolMismatch` when whoever listens there speaks
    ///   another version, and nobody answers in this one; `unauthorized` when somebody listens there who
    ///   does not let this process in.
    package func greet(_ endpoint: String, timeout: Duration) async throws(MeshError) -> PeerAddress? {
        let deadline = cmesh_monotonic_nanoseconds() + timeout.nanoseconds
        let question = try Question(to: endpoint, until: deadline, on: self)
        defer { question.close() }
        let address = await self.greetings.wait(for: question.number) { self.ask(question) }
        if let address { return address }
        if let version = self.greetings.foreignVersion {
            throw MeshError(
                .protocolMismatch,
                "The process at \(endpoint) speaks version \(version) of the protocol, this program \(protocolVersion); "
                    + "build both with the same version of ActorMesh.")
        }
        guard question.isRefused else { return nil }
        throw MeshError(
            .unauthorized,
            "Somebody listens at \(endpoint), but does not let this process in: it has the key of another mesh, this "
                + "process's key was revoked, one of the two has none, or it is no mesh at all. Name the file of a key of "
                + "that mesh in --key-file or MESH_KEY_FILE."
        )
    }

    /// Lets a peer that speaks another version know, in this one.
    func answer(_ greeting: ForeignGreeting) {
        guard self.greetings.mayAnswer(at: cmesh_monotonic_nanoseconds()),
            let endpoint = greeting.from.endpoint(from: self.address.host),
            let channel = try? self.transport.connect(to: endpoint)
        else { return }
        let header = BatchHeader(
            from: self.address.peer, to: greeting.from.peer, epoch: 0, sequence: 0, acknowledgedEpoch: 0,
            acknowledged: 0)
        let buffer = WireBuffer(capacity: 256)
        header.write(to: buffer)
        buffer.writeHello(self.address, self.settings.features)
        _ = channel.send(OutboundMessage(head: buffer))
        // Time for the connection to be made.
        _ = self.schedule(at: cmesh_monotonic_nanoseconds() + 1_000_000_000) { channel.close() }
    }

    /// Asks, and again while there is no answer, until its time is over or the other end refuses this process.
    private func ask(_ question: Question) {
        guard self.greetings.waits(for: question.number) else { return }
        let now = cmesh_monotonic_nanoseconds()
        if now >= question.deadline || question.isRefused || self.greetings.foreignVersion != nil {
            return self.greetings.giveUp(question.number)
        }
        question.ask(on: self)
        _ = self.schedule(at: min(now + Question.tick, question.deadline)) { [weak self] in self?.ask(question) }
    }
}

/// A question to whoever listens at an address, on as many connections as it takes.
///
/// A connection whose first packet is lost, or that was begun while nobody listened, takes a second and more to be
/// made; one that is begun a moment later does not wait for it. The answers to all of them are the same.
private final class Question: Sendable {
    /// How often it is looked at, in nanoseconds.
    static let tick: UInt64 = 50_000_000
    /// After how many ticks there is a second connection; the third takes twice as long, and so on up to the last number.
    /// On a busy machine a connection takes its time, too: none makes room for another before several seconds have passed.
    private static let ticksBetweenChannels = 8...64
    private static let maximumChannels = 4

    private struct State {
        var channels: Deque<any TransportChannel> = []
        /// How many ticks until the next connection, and from that one to the one after it.
        var left = 0
        var gap = Question.ticksBetweenChannels.lowerBound
        var hasAsked = false
        var isClosed = false
    }

    let number = UInt64.random(in: 1...UInt64.max)
    /// When nobody waits for the answer any more.
    let deadline: UInt64
    private let endpoint: String
    private let state = Mutex(State())

    /// - Throws: `invalidArgument` for an address that makes no sense.
    init(to endpoint: String, until deadline: UInt64, on mesh: Mesh) throws(MeshError) {
        self.endpoint = endpoint
        self.deadline = deadline
        let channel = try mesh.transport.connect(to: endpoint, watching: true)
        self.state.withLock { $0.channels.append(channel) }
    }

    /// Whether somebody listens who does not let this process in.
    var isRefused: Bool { self.state.withLock { $0.channels.contains(where: \.isRefused) } }

    /// Asks if it is time to. Called once each tick.
    func ask(on mesh: Mesh) {
        let superseded = self.state.withLock { state -> (any TransportChannel)? in
            guard !state.isClosed else { return nil }
            guard state.left == 0 else {
                state.left -= 1
                return nil
            }
            state.left = state.gap
            state.gap = min(2 * state.gap, Self.ticksBetweenChannels.upperBound)
            // The first one is there already. That there is none now, for want of descriptors, may be otherwise soon.
            if state.hasAsked {
                guard let channel = try? mesh.transport.connect(to: self.endpoint, watching: true) else { return nil }
                state.channels.append(channel)
            }
            state.hasAsked = true
            _ = state.channels.last?.send(OutboundMessage(head: self.text(from: mesh.address, mesh.settings.features)))
            return state.channels.count > Self.maximumChannels ? state.channels.popFirst() : nil
        }
        superseded?.close()
    }

    func close() {
        let channels = self.state.withLock { state in
            state.isClosed = true
            defer { state.channels = [] }
            return state.channels
        }
        for channel in channels { channel.close() }
    }

    private func text(from address: PeerAddress, _ features: PeerFeatures) -> WireBuffer {
        let header = BatchHeader(
            from: address.peer, to: .anyone, epoch: 0, sequence: 0, acknowledgedEpoch: 0, acknowledged: 0)
        let buffer = WireBuffer(capacity: 256)
        header.write(to: buffer)
        buffer.writeHello(address, features)
        buffer.writeGreet(self.number)
        return buffer
    }
}
