import GRDB

extension Configuration {
    /// For a database whose transactions are on the disk when they return.
    ///
    /// - Parameters:
    ///   - lockingMode: `NORMAL`, or `EXCLUSIVE` for one process alone.
    ///   - busyTimeout: how long to wait for other processes that write.
    ///   - maximumSize: to how many bytes the database may grow; nil: as many as the disk has room for.
    static func durable(lockingMode: String, busyTimeout: Duration, maximumSize: Int?) -> Configuration {
        var configuration = Configuration()
        let (seconds, attoseconds) = busyTimeout.components
        configuration.busyMode = .timeout(Double(seconds) + Double(attoseconds) / 1e18)
        // Not by the configuration's journal mode, which makes the database forget the last transactions in a power cut.
        configuration.prepareDatabase { database in
            try database.execute(
                sql: """
                    PRAGMA locking_mode = \(lockingMode); PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL
                    """)
            guard let maximumSize else { return }
            let pageSize = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 4096
            try database.execute(sql: "PRAGMA max_page_count = \(max(1, maximumSize / pageSize))")
        }
        return configuration
    }
}
