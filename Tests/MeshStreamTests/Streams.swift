import Testing

/// Streams and messages between processes. One test at a time, so that each has a processor.
@Suite(.serialized)
enum Streams {}
