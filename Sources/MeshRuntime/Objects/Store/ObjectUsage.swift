/// How full a store of objects is.
public struct ObjectUsage: Hashable, Sendable, Codable {
    /// How many large objects it has.
    public var count: Int
    /// How many bytes of memory they take.
    public var bytes: Int
    /// How many bytes of memory they may take; what is more goes to disk.
    public var budget: Int
    /// How many bytes of them are on disk.
    public var bytesOnDisk: Int
    /// How many bytes are still to come of what is being fetched from other hosts.
    public var bytesToFetch: Int

    package init(count: Int = 0, bytes: Int = 0, budget: Int = 0, bytesOnDisk: Int = 0, bytesToFetch: Int = 0) {
        self.count = count
        self.bytes = bytes
        self.budget = budget
        self.bytesOnDisk = bytesOnDisk
        self.bytesToFetch = bytesToFetch
    }
}
