import FoundationEssentials
import MeshRuntime
import Synchronization

/// The tasks that run in a process, for those who look.
package final class RunningTasks: Sendable {
    private struct State {
        var next: UInt64 = 0
        var tasks: [UInt64: (spec: TaskSpec, startDate: Date)] = [:]
    }

    private let state = Mutex(State())

    var isEmpty: Bool { self.state.withLock { $0.tasks.isEmpty } }
    var count: Int { self.state.withLock { $0.tasks.count } }

    /// A task begins. Returns what to end it with: one task may run twice.
    func begin(_ spec: TaskSpec) -> UInt64 {
        // Its arguments may be large, and belong to the task alone.
        var spec = spec
        spec.task = EncodedValue()
        let now = Date()
        return self.state.withLock { state in
            state.next += 1
            state.tasks[state.next] = (spec, now)
            return state.next
        }
    }

    func end(_ place: UInt64) { _ = self.state.withLock { $0.tasks.removeValue(forKey: place) } }

    /// The oldest tasks, the very oldest first.
    func list(atMost limit: Int) -> [RunningTask] {
        let tasks = self.state.withLock { $0.tasks.sorted { $0.key < $1.key }.prefix(limit) }
        return tasks.map { _, task in
            RunningTask(
                id: task.spec.id, typeName: task.spec.displayType, owner: task.spec.owner.actor,
                startDate: task.startDate)
        }
    }
}
