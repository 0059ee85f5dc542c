import CMeshPlatform
import Glibc

/// Nanoseconds of the monotonic clock.
func now() -> UInt64 { cmesh_monotonic_nanoseconds() }

/// The time from now on in so many seconds.
func deadline(in seconds: Double) -> UInt64 { now() + UInt64(seconds * 1e9) }

/// Seconds since a time.
func seconds(since start: UInt64) -> Double { Double(now() - start) / 1e9 }

/// Runs code that blocks on a thread of its own, so that no thread of a mesh or of Swift's pool is held up.
func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        let start = Unmanaged.passRetained(ThreadStart { continuation.resume(with: Result(catching: body)) })
        var thread = pthread_t()
        let status = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            start.toOpaque()
        )
        if status == 0 {
            pthread_detach(thread)
        } else {
            start.release()
            continuation.resume(throwing: BenchError("no thread can be started"))
        }
    }
}

private final class ThreadStart {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
}
