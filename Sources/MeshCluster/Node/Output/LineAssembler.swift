/// Makes lines of the pieces in which a process's output comes, so that those of several processes do not mix.
///
/// Every byte comes out again, unchanged and in order.
package struct LineAssembler: Hashable, Sendable {
    /// A line is held back until it is whole, but no more of it than this.
    package static let longest = 64 << 10

    /// A line that has no end yet.
    private var rest: [UInt8] = []

    package init() {}

    /// Takes what was written. Returns what can be passed on: whole lines, or the beginning of a very long one.
    package mutating func append(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else {
            self.rest += bytes
            return self.rest.count < Self.longest ? [] : self.finish()
        }
        let lines = self.rest + bytes[...end]
        self.rest = Array(bytes[(end + 1)...])
        return lines
    }

    /// Returns what is left when no more comes: a line without an end.
    package mutating func finish() -> [UInt8] {
        defer { self.rest = [] }
        return self.rest
    }
}
