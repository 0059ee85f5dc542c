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
///
/// A call has a number that its maker knows it by. What travels is its call ID, which is the same until the call is sent
/// to another life of its actor: then it gets a new one, so that what an older life may still answer is nobody's.
final class PendingCalls: Sendable {
    private struct Slot {
        /// What the call ID that travels ends with.
        var generation: UInt32 = 0
        /// The same as it was when the number was reserved.
        var birth: UInt32 = 0
        /// From whom the outcome is expected; nil when the call is nowhere.
        var peer: PeerID?
        var continuation: UnsafeContinuation<CallOutcome, Never>?
        /// The outcome, when it came before the continuation.
        var early: CallOutcome?
        var isUsed = false
        /// How often it was sent anew or given up, so that what is meant for an earlier time does not end it.
        var sends: UInt32 = 0
    }

    private struct State {
        var slots: [Slot] = []
        var free: [Int] = []
    }

    private let state = Mutex(State())

    /// A number for a new call to an actor of `peer`; nil when that will be said later.
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
            state.slots[index].birth = state.slots[index].generation
            return UInt64(state.slots[index].birth) << 32 | UInt64(index)
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

    /// The outcome will come from another process than was thought when the number was reserved; nil: the call is
    /// nowhere. Returns the call ID that travels, nil when the call has ended.
    @discardableResult
    func expect(_ number: UInt64, from peer: PeerID?) -> UInt64? {
        self.withSlot(number) { slot in
            slot.sends &+= 1
            slot.peer = peer
        }
    }

    /// The same, for a call that goes to another life of its actor: it gets a new call ID.
    func renew(_ number: UInt64, from peer: PeerID) -> UInt64? {
        self.withSlot(number) { slot in
            slot.generation &+= 1
            slot.sends &+= 1
            slot.peer = peer
        }
    }

    /// The call ID under which a call travels now, nil when it has ended.
    func callID(of number: UInt64) -> UInt64? { self.withSlot(number) { _ in } }

    private func withSlot(_ number: UInt64, _ change: (inout Slot) -> Void) -> UInt64? {
        let index = Int(number & 0xffff_ffff)
        let birth = UInt32(truncatingIfNeeded: number >> 32)
        return self.state.withLock { state in
            guard index < state.slots.count, state.slots[index].isUsed, state.slots[index].birth == birth,
                state.slots[index].early == nil
            else { return nil }
            change(&state.slots[index])
            return UInt64(state.slots[index].generation) << 32 | UInt64(index)
        }
    }

    /// Ends a call, as its maker's process sees it. Returns false when it has ended before.
    @discardableResult
    func complete(_ number: UInt64, with outcome: CallOutcome) -> Bool {
        self.complete(number, with: outcome) { $0.birth == UInt32(truncatingIfNeeded: number >> 32) }
    }

    /// Ends a call, as the process says that was called. Returns false when it has ended before, or never was: results
    /// may come late, or twice, or from somebody who was not asked.
    @discardableResult
    func complete(_ callID: UInt64, from sender: PeerID, with outcome: CallOutcome) -> Bool {
        self.complete(callID, with: outcome) {
            $0.generation == UInt32(truncatingIfNeeded: callID >> 32) && $0.peer == sender
        }
    }

    private func complete(_ callID: UInt64, with outcome: CallOutcome, if matches: (Slot) -> Bool) -> Bool {
        let index = Int(callID & 0xffff_ffff)
        let (known, continuation) = self.state.withLock {
            state -> (Bool, UnsafeContinuation<CallOutcome, Never>?) in
            guard index < state.slots.count, state.slots[index].isUsed, matches(state.slots[index]) else {
                return (false, nil)
            }
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

    /// A call that waits for a process, as it was sent there.
    struct Waiting: Sendable {
        fileprivate var index: Int
        fileprivate var birth: UInt32
        fileprivate var sends: UInt32
    }

    /// The calls that wait for a process now.
    func waiting(for peer: PeerID) -> [Waiting] {
        self.state.withLock { state in
            state.slots.indices.compactMap { index in
                guard state.slots[index].isUsed, state.slots[index].peer == peer else { return nil }
                return Waiting(index: index, birth: state.slots[index].birth, sends: state.slots[index].sends)
            }
        }
    }

    /// Ends calls, except those that have been sent elsewhere, or again, since they were listed.
    func complete(_ calls: [Waiting], with error: MeshError) {
        for call in calls {
            _ = self.complete(UInt64(call.index), with: .broken(error)) {
                $0.birth == call.birth && $0.sends == call.sends
            }
        }
    }

    /// Ends every call.
    func completeAll(with error: MeshError) {
        let calls = self.state.withLock { state in
            state.slots.indices.compactMap { index -> UInt64? in
                guard state.slots[index].isUsed else { return nil }
                return UInt64(state.slots[index].birth) << 32 | UInt64(index)
            }
        }
        for call in calls { self.complete(call, with: .broken(error)) }
    }

    /// How many there are.
    var count: Int { self.state.withLock { $0.slots.count - $0.free.count } }

    /// The processes from which an outcome is expected.
    var awaited: Set<PeerID> {
        self.state.withLock { state in
            var peers: Set<PeerID> = []
            for slot in state.slots where slot.isUsed { if let peer = slot.peer { peers.insert(peer) } }
            return peers
        }
    }

    private static func release(_ index: Int, _ state: inout State) {
        let generation = state.slots[index].generation &+ 1
        state.slots[index] = Slot(generation: generation)
        state.free.append(index)
    }
}
