import CMeshPlatform
import FoundationEssentials
import MeshCore
import MeshMessagePack
import Synchronization

/// What readers in other processes need: a number for the stream, encoded elements, and an eye on the time.
extension StreamSource: RegisteredStream {
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
        let notes = HandleNotes()
        var count = 0
        for element in batch.elements {
            do {
                try mesh.encoder.encode(element, into: buffer, attachments: notes)
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
            first: batch.first, count: count, elements: EncodedValue(buffer.takeData(), leases: notes.leases),
            isLast: end != nil,
            error: end?.error.map { mesh.encodeError($0, method: "MeshStream<\(Element.self)>") })
    }

    func whenWriterDone(_ action: @escaping @Sendable () -> Void) -> Bool {
        self.state.withLock { state in
            guard !state.isWriterDone else { return false }
            state.onWriterDone.append(action)
            return true
        }
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
