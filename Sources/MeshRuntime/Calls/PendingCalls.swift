package import FoundationEssentials
import MeshCore
import Synchronization

/// Encoded arguments or an encoded result, and what keeps its bytes.
package struct Payload: Sendable {
    let message: InboundMessage
    let range: Range<Int>
    package let attachments: [Data]
    /// Holds the actors whose handles are in it, until they have been read.
    let leases: [HandleLease]

    init(message: InboundMessage, range: Range<Int>, attachments: [Data] = [], leases: [HandleLease] = []) {
        self.message = message
        self.range = range
        self.attachments = attachments
        self.leases = leases
    }

    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self.message.head[self.range]) }
}

/// How a call ended, as it comes from the wire.
enum CallOutcome: Sendable {
    case result(Payload)
    case failure(EncodedError)
    /// It never reached the method, or nobody knows.
    case broken(MeshError)
}

/// The calls of this process that wait for their result.
final class PendingCalls: Sendable {
    private struct Slot {
        var generation: UInt32 = 0
        var peer: PeerID?
        var continuation: UnsafeContinuation<CallOutcome, Never>?
        /// The outcome, when it came before the continuation.
        var early: CallOutcome?
        var isUsed = false
    }

    private struct State {
        var slots: [Slot] = []
        var free: [Int] = []
    }

    private let state = Mutex(State())

    /// A number for a new call to an actor of `peer` (nil: of this process).
    func reserve(for peer: PeerID?) -> UInt64 {
        self.state.withLock { state in
            let index: Int
            if let free = state.free.popLast() {
                index = free
            } else {
                index = state.slots.count
                state.slots.append(Slot())
            }
            state.slots[index].isUsed = true
            state.slots[index].peer = peer
            return UInt64(state.slots[index].generation) << 32 | UInt64(index)
        }
    }

    /// Suspends until the outcome is there.
    @inline(__always)
    func outcome(of callID: UInt64, _ start: () -> Void) async -> CallOutcome {
        await withUnsafeContinuation { continuation in
            let early = self.state.withLock { state -> CallOutcome? in
                let index = Int(callID & 0xffff_ffff)
                if let early = state.slots[index].early {
                    Self.release(index, &state)
                    return early
                }
                state.slots[index].continuation = continuation
                return nil
            }
            if let early { continuation.resume(returning: early) } else { start() }
        }
    }

    /// The outcome will come from another process than was thought when the number was reserved.
    func expect(_ callID: UInt64, from peer: PeerID) {
        self.state.withLock { $0.slots[Int(callID & 0xffff_ffff)].peer = peer }
    }

    /// Ends a call. Returns false when it has ended before, or never was: results may come late or twice.
    ///
    /// - Parameter sender: the process that says so; only the one that was called may.
    @discardableResult
    func complete(_ callID: UInt64, from sender: PeerID? = nil, with outcome: CallOutcome) -> Bool {
        let index = Int(callID & 0xffff_ffff)
        let generation = UInt32(truncatingIfNeeded: callID >> 32)
        let (known, continuation) = self.state.withLock {
            state -> (Bool, UnsafeContinuation<CallOutcome, Never>?) in
            guard index < state.slots.count, state.slots[index].isUsed, state.slots[index].generation == generation,
                sender == nil || state.slots[index].peer == sender
            else { return (false, nil) }
            guard let continuation = state.slots[index].continuation else {
                if state.slots[index].early == nil { state.slots[index].early = outcome }
                return (true, nil)
            }
            Self.release(index, &state)
            return (true, continuation)
        }
        continuation?.resume(returning: outcome)
        return known
    }

    /// Ends every call to a process that is gone.
    func completeAll(to peer: PeerID, with error: MeshError) {
        let calls = self.state.withLock { state in
            state.slots.indices.compactMap { index -> UInt64? in
                guard state.slots[index].isUsed, state.slots[index].peer == peer else { return nil }
                return UInt64(state.slots[index].generation) << 32 | UInt64(index)
            }
        }
        for call in calls { self.complete(call, with: .broken(error)) }
    }

    /// Ends every call.
    func completeAll(with error: MeshError) {
        let calls = self.state.withLock { state in
            state.slots.indices.compactMap { index -> UInt64? in
                guard state.slots[index].isUsed else { return nil }
                return UInt64(state.slots[index].generation) << 32 | UInt64(index)
            }
        }
        for call in calls { self.complete(call, with: .broken(error)) }
    }

    /// Whether any call to that process waits.
    func isWaiting(for peer: PeerID) -> Bool {
        self.state.withLock { $0.slots.contains { $0.isUsed && $0.peer == peer } }
    }

    private static func release(_ index: Int, _ state: inout State) {
        let generation = state.slots[index].generation &+ 1
        state.slots[index] = Slot(generation: generation)
        state.free.append(index)
    }
}
