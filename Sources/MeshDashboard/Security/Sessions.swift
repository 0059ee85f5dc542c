import Synchronization

/// The sessions of this dashboard. They are kept in memory only: they end with it.
final class Sessions: Sendable {
    private struct Entry {
        var session: Session
        var used: ContinuousClock.Instant
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let limit: Int
    private let lifetime: Duration

    /// - Parameters:
    ///   - limit: how many there may be; one more takes the place of the one that was not used for the longest, of those
    ///     that have not signed in first.
    ///   - lifetime: after how long without use one ends.
    init(limit: Int = 256, lifetime: Duration = .seconds(8 * 3600)) {
        self.limit = limit
        self.lifetime = lifetime
    }

    /// The session of an ID; nil for one that there is not, or not any more.
    func find(_ id: String?, at now: ContinuousClock.Instant = .now) -> Session? {
        guard let id else { return nil }
        return self.entries.withLock { entries in
            guard let entry = entries[id] else { return nil }
            guard now - entry.used < self.lifetime else {
                entries[id] = nil
                return nil
            }
            entries[id]?.used = now
            return entry.session
        }
    }

    /// A new session, which has a new ID also when it goes on from another: whoever knew the ID before the sign-in must
    /// not have it after.
    func begin(isSignedIn: Bool = false, after old: Session? = nil, at now: ContinuousClock.Instant = .now) -> Session {
        let session = Session(id: Secrets.random(), token: Secrets.random(), isSignedIn: isSignedIn)
        self.entries.withLock { entries in
            if let old { entries[old.id] = nil }
            if entries.count >= self.limit {
                let oldest = entries.min {
                    ($0.value.session.isSignedIn ? 1 : 0, $0.value.used) < (
                        $1.value.session.isSignedIn ? 1 : 0, $1.value.used
                    )
                }
                if let oldest { entries[oldest.key] = nil }
            }
            entries[session.id] = Entry(session: session, used: now)
        }
        return session
    }

    func end(_ session: Session) { self.entries.withLock { $0[session.id] = nil } }

    var count: Int { self.entries.withLock { $0.count } }
}

/// Texts that nobody can guess.
enum Secrets {
    /// 32 hexadecimal digits from the system's generator, which is good enough for keys.
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<4).map { _ in
            let digits = String(generator.next(upperBound: UInt64(1) << 32), radix: 16)
            return String(repeating: "0", count: 8 - digits.utf8.count) + digits
        }.joined()
    }

    /// Compares in a time that does not say where they differ.
    static func areEqual(_ left: String, _ right: String) -> Bool {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
