import CMeshPlatform
import Glibc
import Synchronization

/// A thread of the executor, as far as others need to know it: how to wake it.
final class ExecutorThread: Sendable {
    let number: UInt64
    /// How many jobs it has run.
    let jobsTaken = Atomic<UInt64>(0)
    /// Whether another thread does its work because it was blocked. It takes no job until that is looked at.
    let isReplaced = Atomic<Bool>(false)
    private let signal = WakeSignal()

    init(number: UInt64) { self.number = number }

    /// Call before others can see that this thread parks.
    func prepareToPark() { self.signal.reset() }

    /// Sleeps until `wake`. Returns at once when `prepareToPark` was not called since the last wake.
    func park() { _ = self.signal.wait(nanoseconds: 0) }

    /// The same, but not for longer than so many nanoseconds. Returns whether it was woken.
    func park(nanoseconds: UInt64) -> Bool { self.signal.wait(nanoseconds: nanoseconds) }

    func wake() { self.signal.raise() }
}

/// A flag that a thread can sleep on.
///
/// The word lives in memory of its own because the kernel needs its address.
final class WakeSignal: @unchecked Sendable {
    // `@unchecked Sendable`: the word is only touched through atomic operations, by way of the C functions below.
    private let word: UnsafeMutablePointer<UInt32>

    init() {
        self.word = .allocate(capacity: 1)
        self.word.initialize(to: 1)
    }

    deinit { self.word.deallocate() }

    func reset() { cmesh_atomic_store(self.word, 0) }

    func raise() {
        cmesh_atomic_store(self.word, 1)
        _ = cmesh_futex_wake(self.word, 1)
    }

    /// Waits for `raise`; `nanoseconds` 0 waits without a limit. Returns whether it was raised.
    func wait(nanoseconds: UInt64) -> Bool {
        if nanoseconds > 0 {
            if cmesh_atomic_load(self.word) == 0 { _ = cmesh_futex_wait(self.word, 0, nanoseconds) }
            return cmesh_atomic_load(self.word) == 1
        }
        while cmesh_atomic_load(self.word) == 0 { _ = cmesh_futex_wait(self.word, 0, 0) }
        return true
    }
}
