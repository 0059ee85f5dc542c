import MeshCore
import MeshSecurity

/// Processes that are no members show keys of their own, which their endpoints name: `tcp://10.0.0.9:4711#8f3a…`.
enum EndpointKey {
    /// The endpoint with the key that whoever connects has to expect there, unless it is the members'.
    static func adding(_ key: MeshKey?, to endpoint: String) -> String {
        guard let key, key.identity != .member, endpoint.hasPrefix("tcp:") else { return endpoint }
        return "\(endpoint)#\(key.pair.publicKey)"
    }

    /// The endpoint as libzmq takes it, and the key that it names.
    static func split(_ endpoint: String) -> (place: String, key: PublicKey?) {
        guard endpoint.hasPrefix("tcp:"), let mark = endpoint.lastIndex(of: "#") else { return (endpoint, nil) }
        return (String(endpoint[..<mark]), PublicKey(endpoint[endpoint.index(after: mark)...]))
    }
}
