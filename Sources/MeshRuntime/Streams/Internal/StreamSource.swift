import CMeshPlatform
import FoundationEssentials
import MeshCore
import MeshMessagePack
import Synchronization

/// The writing end of a stream, in the process that writes it.
///
/// It has one reader: the first one that asks for elements. Until then a reader may hand it on.
final class StreamSource<Element: Codable & Sendable>: RegisteredStream, Sendable {
    private struct State {
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
    }

    private struct Registration {
        var id: UniqueID
        var mesh: Mesh
        var since: UInt64
    }

    private enum Wakeup {
        case elements
        case keepAlive
        case replaced
        case cancelled
    }

    /// What is to be done after a change of the state, outside of its lock.
    private struct Effects {
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
    private let state: Mutex<State>

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

    /// Ends the stream, the first time.
    func finish(_ end: StreamEnd) {
        self.state.withLock { Self.finish(end, &$0) }.run()
    }

    private static func finish(_ end: StreamEnd, _ state: inout State) -> Effects {
        guard let waiting = state.buffer.finish(end) else { return Effects() }
        defer { state.onTermination = [] }
        return Effects(
            writers: waiting.compactMap { state.writers.removeValue(forKey: $0) }, granted: false,
            parked: self.takeParked(&state), terminated: state.onTermination, reason: end.reason)
    }

    private static func takeParked(_ state: inout State) -> UnsafeContinuation<Wakeup, Never>? {
        defer { state.parked = nil }
        return state.parked?.continuation
    }

    // MARK: Reading

    /// What comes from an element on, as soon as there is something; empty after a while without.
    func pull(reader: UInt64, peer: PeerID?, from: UInt64, limit: Int) async throws(MeshError) -> StreamBatch<Element> {
        while true {
            let result = self.state.withLock {
                state -> (Result<StreamBatch<Element>?, MeshError>, Effects) in
                if let error = Self.bind(reader, peer, isReading: true, &state) { return (.failure(error), Effects()) }
                guard from <= state.buffer.next else {
                    return (.failure(MeshError(.invalidArgument, "The stream has no element \(from) yet.")), Effects())
                }
                let effects = Self.acknowledge(upTo: from, &state)
                return (.success(state.buffer.batch(from: from, limit: limit)), effects)
            }
            result.1.run()
            if let batch = try result.0.get() { return batch }
            switch await self.park(from: from) {
            case .elements: continue
            case .keepAlive, .replaced: return StreamBatch(first: from, elements: [], end: nil)
            case .cancelled: throw MeshError(.cancelled, "The task that read the stream was cancelled.")
            }
        }
    }

    private func park(from: UInt64) async -> Wakeup {
        let number = self.state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let now = cmesh_monotonic_nanoseconds()
                let (outcome, replaced, mesh) = self.state.withLock {
                    state -> (Wakeup?, UnsafeContinuation<Wakeup, Never>?, Mesh?) in
                    if state.buffer.batch(from: from, limit: 1) != nil { return (.elements, nil, nil) }
                    if Task.isCancelled { return (.cancelled, nil, nil) }
                    let replaced = Self.takeParked(&state)
                    state.parked = (number, now, continuation)
                    return (nil, replaced, state.registration?.mesh)
                }
                replaced?.resume(returning: .replaced)
                if let outcome { continuation.resume(returning: outcome) }
                mesh?.streams.wake(at: now + StreamRegistry.keepAliveInterval)
            }
        } onCancel: {
            let parked = self.state.withLock { state in
                state.parked?.number == number ? Self.takeParked(&state) : nil
            }
            parked?.resume(returning: .cancelled)
        }
    }

    func acknowledge(reader: UInt64, upTo number: UInt64) {
        self.state.withLock { state in
            state.reader == reader ? Self.acknowledge(upTo: number, &state) : Effects()
        }.run()
    }

    private static func acknowledge(upTo number: UInt64, _ state: inout State) -> Effects {
        let granted = state.buffer.acknowledge(upTo: number, now: cmesh_monotonic_nanoseconds())
        guard !granted.isEmpty else { return Effects() }
        return Effects(
            writers: granted.compactMap { state.writers.removeValue(forKey: $0) }, parked: self.takeParked(&state))
    }

    /// A reader has been made in some process; it has not asked for anything yet.
    func attach(reader: UInt64, peer: PeerID?) {
        let now = cmesh_monotonic_nanoseconds()
        let (effects, mesh, patience) = self.state.withLock { state -> (Effects, Mesh?, UInt64) in
            guard Self.bind(reader, peer, isReading: false, &state) == nil else { return (Effects(), nil, 0) }
            // A writer may have been waiting since before there was a reader to be impatient with.
            return (Self.acknowledge(upTo: 0, &state), state.registration?.mesh, state.patience ?? 0)
        }
        effects.run()
        mesh?.streams.wake(at: now + patience)
    }

    private static func bind(_ reader: UInt64, _ peer: PeerID?, isReading: Bool, _ state: inout State) -> MeshError? {
        if state.reader != reader {
            guard !state.hasBeenRead else {
                return MeshError(.invalidArgument, "The stream has another reader already; ask for one of your own.")
            }
            state.reader = reader
            state.readerPeer = peer
        }
        if isReading { state.hasBeenRead = true }
        return nil
    }

    /// The reader wants nothing more.
    func close(reader: UInt64) {
        let (effects, registration) = self.state.withLock { state -> (Effects, Registration?) in
            guard state.reader == nil || state.reader == reader else { return (Effects(), nil) }
            let end = StreamEnd.lost(MeshError(.cancelled, "The reader of the stream has stopped reading."))
            return (Self.finish(end, &state), state.registration)
        }
        effects.run()
        if let registration { registration.mesh.streams.remove(registration.id) }
    }
}

// MARK: - Readers in other processes

extension StreamSource {
    /// Makes the stream known to other processes, under a number of its own.
    func register(on mesh: Mesh) -> UniqueID {
        let now = cmesh_monotonic_nanoseconds()
        let (id, isNew) = self.state.withLock { state -> (UniqueID, Bool) in
            if let known = state.registration { return (known.id, false) }
            let id = UniqueID.make()
            state.registration = Registration(id: id, mesh: mesh, since: now)
            if state.patience == nil { state.patience = StreamOverflow.patience(for: mesh.settings) }
            return (id, true)
        }
        if isNew {
            mesh.streams.add(self, id)
            mesh.streams.wake(at: now + StreamRegistry.unreadLimit)
        }
        return id
    }

    func pull(_ request: StreamRequest, peer: PeerID?, mesh: Mesh) async throws -> EncodedBatch {
        let batch = try await self.pull(
            reader: request.reader, peer: peer, from: request.from, limit: request.credit)
        let buffer = MessagePackBuffer(capacity: 256)
        var count = 0
        for element in batch.elements {
            do {
                try mesh.encoder.encode(element, into: buffer)
            } catch {
                guard count == 0 else { break }
                let error = MeshError(
                    .decodingFailed, "Element \(batch.first) of the stream, a \(Element.self), cannot be encoded.",
                    cause: error)
                self.finish(.lost(error))
                throw error
            }
            count += 1
            if buffer.count >= StreamRegistry.batchSize { break }
        }
        let end = count == batch.elements.count ? batch.end : nil
        return EncodedBatch(
            first: batch.first, count: count, elements: buffer.takeData(), isLast: end != nil,
            error: end?.error.map { mesh.encodeError($0, method: "MeshStream<\(Element.self)>") })
    }

    func isRead(by peer: PeerID) -> Bool { self.state.withLock { $0.readerPeer == peer } }

    /// Does what is due. Returns when to come back, nil when nothing is under way; false when the stream is over and
    /// nobody will ask for it.
    func tick(now: UInt64) -> (next: UInt64?, isNeeded: Bool) {
        let (next, isNeeded, effects) = self.state.withLock { state -> (UInt64?, Bool, Effects) in
            if state.reader == nil, let since = state.registration?.since {
                let limit = since + StreamRegistry.unreadLimit
                if now < limit { return (limit, true, Effects()) }
                let error = MeshError(
                    .deadlineExceeded,
                    "Nobody began to read the stream within \(StreamRegistry.unreadLimit / 1_000_000_000) s.")
                return (nil, false, Self.finish(.lost(error), &state))
            }
            if let stalled = state.buffer.stalledSince, let patience = state.patience {
                if now < stalled + patience { return (stalled + patience, true, Effects()) }
                return (nil, true, Self.finish(.cutOff(after: patience), &state))
            }
            if let parked = state.parked {
                let due = parked.since + StreamRegistry.keepAliveInterval
                if now < due { return (due, true, Effects()) }
                return (nil, true, Effects(parked: Self.takeParked(&state), wakeup: .keepAlive))
            }
            return (nil, true, Effects())
        }
        effects.run()
        return (next, isNeeded)
    }
}
