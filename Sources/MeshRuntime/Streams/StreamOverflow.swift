/// What happens when the reader of a stream is as far behind as the stream allows.
public struct StreamOverflow: Hashable, Sendable {
    let skips: Bool
    let patience: Duration?

    /// The writer waits for the reader, but not for one that takes nothing for twice the mesh's lease time (at least
    /// 5 s): that one is cut off, and its next iteration throws `slowConsumer`. So a reader whose process is stopped,
    /// or which keeps a stream and does not read it, cannot hold its writer up for ever. (A stream that is read where
    /// it was made, and never went through a mesh, knows no lease: its writer waits.)
    public static let wait = StreamOverflow(skips: false, patience: nil)

    /// The same with a time of your choice: choose one that is longer than the reader takes for one element.
    public static func wait(upTo patience: Duration) -> StreamOverflow {
        StreamOverflow(skips: false, patience: max(.zero, patience))
    }

    /// The writer never waits. The oldest elements that the reader has not taken are dropped, and the reader is told
    /// how many: its iteration throws `slowConsumer`, or gives `.missed` with `reportingGaps`.
    public static let skipOldest = StreamOverflow(skips: true, patience: nil)

    static func patience(for settings: MeshSettings) -> UInt64 {
        max(2 * settings.leaseTime.nanoseconds, 5_000_000_000)
    }
}
