import Synchronization

/// Actions that are due at a time. The executor's monitor runs them, so they must be short.
package final class TimerQueue: Sendable {
    package typealias Action = @Sendable () -> Void

    /// What `cancel` needs.
    package struct Token: Hashable, Sendable {
        fileprivate let time: UInt64
        fileprivate let number: UInt64
    }

    private struct Entry {
        var token: Token
        var action: Action
    }

    private struct State {
        /// Sorted by time, the latest first, so that the next one due is cheap to take.
        var entries: [Entry] = []
        var nextNumber: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Adds an action. `isNext` tells that nothing is due earlier, so whoever sleeps until then must be woken.
    package func schedule(at time: UInt64, _ action: @escaping Action) -> (token: Token, isNext: Bool) {
        self.state.withLock { state in
            state.nextNumber += 1
            let token = Token(time: time, number: state.nextNumber)
            let index = state.entries.partitioningIndex { $0.token.isBefore(token) }
            state.entries.insert(Entry(token: token, action: action), at: index)
            return (token, index == state.entries.count - 1)
        }
    }

    package func cancel(_ token: Token) {
        self.state.withLock { state in
            let index = state.entries.partitioningIndex { $0.token.isBefore(token) } - 1
            if index >= 0, state.entries[index].token == token { state.entries.remove(at: index) }
        }
    }

    /// How many actions are to come.
    package var count: Int { self.state.withLock { $0.entries.count } }

    /// Runs what is due. Returns when the next action is due.
    package func run(now: UInt64) -> UInt64? {
        while true {
            let (due, next) = self.state.withLock { state -> (Action?, UInt64?) in
                guard let last = state.entries.last else { return (nil, nil) }
                guard last.token.time <= now else { return (nil, last.token.time) }
                return (state.entries.removeLast().action, nil)
            }
            guard let due else { return next }
            due()
        }
    }
}

extension TimerQueue.Token {
    fileprivate func isBefore(_ other: Self) -> Bool { (self.time, self.number) < (other.time, other.number) }
}

extension Array {
    /// The first index whose element satisfies `predicate`, given that all after it do too.
    fileprivate func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            if predicate(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
