import Testing

/// The integration ring: meshes with real sockets, or a network made to be bad, in this process. One test at a time: each
/// has threads of its own, which a hundred others would keep from the processors for longer than a lease.
@Suite(.serialized)
enum Integration {}
