import CMeshPlatform
import MeshCore
import Synchronization

/// What the reader asks of a stream's source, from this process or another.
extension StreamSource {
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
