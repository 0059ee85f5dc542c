import Testing

/// What is done with the real commands, in processes of their own. One test at a time, so that each has a processor.
@Suite(.serialized)
enum Commands {}
