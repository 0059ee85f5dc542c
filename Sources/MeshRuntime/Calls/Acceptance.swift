import MeshCore
import Synchronization

/// Lets `submit` wait until its call has been accepted, which it usually is at once.
package final class Acceptance: Sendable {
    private enum State {
        case open
        case waiting(UnsafeContinuation<Void, Never>)
        case done
    }

    private let state = Mutex(State.open)
    let policy: BackPressure

    package init(policy: BackPressure) { self.policy = policy }

    package func accept() {
        let waiting = self.state.withLock { state -> UnsafeContinuation<Void, Never>? in
            defer { state = .done }
            if case .waiting(let continuation) = state { return continuation }
            return nil
        }
        waiting?.resume()
    }

    package func wait() async {
        let isDone = self.state.withLock { if case .done = $0 { true } else { false } }
        if isDone { return }
        await withUnsafeContinuation { continuation in
            let isDone = self.state.withLock { state -> Bool in
                if case .done = state { return true }
                state = .waiting(continuation)
                return false
            }
            if isDone { continuation.resume() }
        }
    }
}
