import Hummingbird
import MeshCore
import NIOCore

/// What is known of a request beside what it says.
struct DashboardContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Whether it comes from this host, by the connection that brings it.
    let isLocal: Bool

    init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
        let address = source.channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }
        self.isLocal = address?.isLoopback ?? false
    }
}
