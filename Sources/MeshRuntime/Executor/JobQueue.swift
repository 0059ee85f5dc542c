import DequeModule

/// The jobs that wait for a thread, first in, first out.
struct JobQueue {
    private var jobs: Deque<UnownedJob> = []

    var count: Int { self.jobs.count }
    var isEmpty: Bool { self.jobs.isEmpty }
    mutating func append(_ job: UnownedJob) { self.jobs.append(job) }
    mutating func popFirst() -> UnownedJob? { self.jobs.popFirst() }
}
