public import MeshRuntime

/// Where the logs of a mesh are kept, and how many.
public struct LogSettings: Sendable, Hashable {
    /// For a broker: the folder in which it keeps them; nil: in memory, where they end with it.
    public var directory: String?
    /// For a broker: how much it keeps; nil: 1 GiB in a folder, 32 MiB in memory. The oldest make room.
    public var size: ByteCount?
    /// For a broker: how long it keeps them.
    public var age: Duration
    /// For a node: the folder in which it keeps what its broker has not taken yet; nil: one of its own under `$TMPDIR`, or
    /// `/var/tmp`. The next node with the same folder brings there what is left in it.
    public var spool: String?
    /// For a node: how much it keeps; nil: 256 MiB. The oldest make room, and a record says so.
    public var spoolSize: ByteCount?

    /// In memory, for a week.
    public init(
        directory: String? = nil, size: ByteCount? = nil, age: Duration = .seconds(7 * 86_400), spool: String? = nil,
        spoolSize: ByteCount? = nil
    ) {
        self.directory = directory
        self.size = size
        self.age = age
        self.spool = spool
        self.spoolSize = spoolSize
    }
}
