import CMeshPlatform
import MeshCore
import Synchronization

/// The writing end of a stream, in the process that writes it.
///
/// It has one reader: the first one that asks for elements. Until then a reader may hand it on.
final class StreamSource<Element: Codable & Sendable>: Sendable {
    struct State {
        var buffer: StreamBuffer<Element>
        var writers: [UInt64: UnsafeContinuation<Bool, Never>] = [:]
        var nextNumber: UInt64 = 0
        /// The reader's question that waits for an answer.
        var parked: (number: UInt64, since: UInt64, continuation: UnsafeContinuation<Wakeup, Never>)?
        var reader: UInt64?
        var readerPeer: PeerID?
        var hasBeenRead = false
        var registration: Registration?
        var patience: UInt64?
        var onTermination: [@Sendable (MeshError?) -> Void] = []
        /// Whether the writer has finished the stream, or let go of it.
        var isWriterDone = false
        var onWriterDone: [@Sendable () -> Void] = []
    }

    struct Registration {
        var id: UniqueID
        var mesh: Mesh
        var since: UInt64
    }

    enum Wakeup {
        case elements
        case keepAlive
        case replaced
        case cancelled
    }

    /// What is to be done after a change of the state, outside of its lock.
    struct Effects {
        var writers: [UnsafeContinuation<Bool, Never>] = []
        var granted = true
        var parked: UnsafeContinuation<Wakeup, Never>?
        var wakeup = Wakeup.elements
        var terminated: [@Sendable (MeshError?) -> Void] = []
        var reason: MeshError?

        func run() {
            for writer in self.writers { writer.resume(returning: self.granted) }
            self.parked?.resume(returning: self.wakeup)
            for action in self.terminated { action(self.reason) }
        }
    }

    let window: Int
    let state: Mutex<State>

    init(bufferingLimit: Int, onFull: StreamOverflow, backlog: some Sequence<Element>) {
        self.window = max(1, bufferingLimit)
        self.state = Mutex(
            State(
                buffer: StreamBuffer(limit: bufferingLimit, skipsOldest: onFull.skips, backlog: backlog),
                patience: onFull.patience?.nanoseconds))
    }

    // MARK: Writing

    func send(_ element: Element) async throws {
        switch self.offer(element) {
        case .accepted: return
        case .ended: throw self.endReason
        case .full: break
        }
        guard await self.waitForRoom(with: element) else {
            if self.hasEnded { throw self.endReason }
            throw MeshError(.cancelled, "The task was cancelled while its element waited for room; it was not sent.")
        }
    }

    func offer(_ element: Element) -> StreamBuffer<Element>.Offer {
        let (offer, effects) = self.state.withLock { state in
            let offer = state.buffer.offer(element)
            return (offer, Effects(parked: offer == .accepted ? Self.takeParked(&state) : nil))
        }
        effects.run()
        return offer
    }

    /// Adds an element also when there is no room. Returns whether its writer is to wait for room.
    func push(_ element: Element) -> Bool {
        let (isCrowded, effects) = self.state.withLock { state in
            state.buffer.push(element)
            return (state.buffer.isCrowded, Effects(parked: Self.takeParked(&state)))
        }
        effects.run()
        return isCrowded
    }

    /// Waits until the buffer has room, for the element if there is one. False when that did not happen: the stream
    /// has ended, or the task was cancelled.
    func waitForRoom(with element: Element? = nil) async -> Bool {
        let number = self.state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let now = cmesh_monotonic_nanoseconds()
                let (outcome, effects, mesh, patience) = self.state.withLock {
                    state -> (Bool?, Effects, Mesh?, UInt64) in
                    if let element {
                        switch state.buffer.offer(element) {
                        case .accepted: return (true, Effects(parked: Self.takeParked(&state)), nil, 0)
                        case .ended: return (false, Effects(), nil, 0)
                        case .full: break
                        }
                    } else if !state.buffer.isCrowded {
                        return (true, Effects(), nil, 0)
                    }
                    if Task.isCancelled { return (false, Effects(), nil, 0) }
                    state.buffer.wait(number, with: element, now: now)
                    state.writers[number] = continuation
                    return (nil, Effects(), state.registration?.mesh, state.patience ?? 0)
                }
                effects.run()
                if let outcome { continuation.resume(returning: outcome) }
                mesh?.streams.wake(at: now + patience)
            }
        } onCancel: {
            let continuation = self.state.withLock { state -> UnsafeContinuation<Bool, Never>? in
                guard state.buffer.removeWaiter(number) else { return nil }
                return state.writers.removeValue(forKey: number)
            }
            continuation?.resume(returning: false)
        }
    }

    var hasEnded: Bool { self.state.withLock { $0.buffer.end != nil } }

    private var endReason: MeshError {
        self.state.withLock { $0.buffer.end?.reason }
            ?? MeshError(.invalidArgument, "The stream has been finished; nothing can be sent on it any more.")
    }

    func onTermination(_ action: @escaping @Sendable (MeshError?) -> Void) {
        let ended = self.state.withLock { state -> StreamEnd? in
            if state.buffer.end == nil { state.onTermination.append(action) }
            return state.buffer.end
        }
        if let ended { action(ended.reason) }
    }

    /// The writer has finished the stream, or let go of it: it does nothing for it any more.
    func writerDone() {
        let actions = self.state.withLock { state in
            state.isWriterDone = true
            defer { state.onWriterDone = [] }
            return state.onWriterDone
        }
        for action in actions { action() }
    }

    /// Ends the stream, the first time.
    func finish(_ end: StreamEnd) {
        self.state.withLock { Self.finish(end, &$0) }.run()
    }

    static func finish(_ end: StreamEnd, _ state: inout State) -> Effects {
        guard let waiting = state.buffer.finish(end) else { return Effects() }
        defer { state.onTermination = [] }
        return Effects(
            writers: waiting.compactMap { state.writers.removeValue(forKey: $0) }, granted: false,
            parked: self.takeParked(&state), terminated: state.onTermination, reason: end.reason)
    }

    static func takeParked(_ state: inout State) -> UnsafeContinuation<Wakeup, Never>? {
        defer { state.parked = nil }
        return state.parked?.continuation
    }
}
