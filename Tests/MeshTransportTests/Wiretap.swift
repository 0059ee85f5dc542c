import Glibc
import MeshCore
import Synchronization
import Testing

/// A TCP port that passes everything on to another, both ways, and keeps a copy.
final class Wiretap: Sendable {
    let endpoint: String
    private let target: UInt16
    private let listener: Int32
    private let state = Mutex(State())

    private struct State {
        var bytes: [UInt8] = []
        var descriptors: [Int32] = []
        var isClosed = false
    }

    /// - Parameter endpoint: a TCP endpoint of 127.0.0.1, with a key behind it or not.
    init(before endpoint: String) throws {
        let parts = endpoint.split(separator: "#", maxSplits: 1)
        let port = try #require(parts[0].split(separator: ":").last.flatMap { UInt16($0) })
        self.target = port
        let (listener, own) = try Self.listen()
        self.listener = listener
        self.endpoint = (["tcp://127.0.0.1:\(own)"] + parts.dropFirst().map(String.init)).joined(separator: "#")
        startThread(named: "tap") { [self] in self.accept() }
    }

    /// Everything that has crossed.
    var bytes: [UInt8] { self.state.withLock { $0.bytes } }

    func close() {
        let descriptors = self.state.withLock { state in
            state.isClosed = true
            return state.descriptors
        }
        for descriptor in [self.listener] + descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    private static func listen() throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = loopback(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && Glibc.listen(descriptor, 100) == 0
                    && getsockname(descriptor, $0, &size) == 0
            }
        }
        try #require(isBound)
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    private func accept() {
        while true {
            let client = Glibc.accept(self.listener, nil, nil)
            guard client >= 0 else {
                Glibc.close(self.listener)
                return
            }
            let server = connectLoopback(port: self.target)
            self.keep([client, server])
            for (source, sink) in [(client, server), (server, client)] {
                startThread(named: "tap-copy") { [self] in self.copy(from: source, to: sink) }
            }
        }
    }

    private func keep(_ descriptors: [Int32]) {
        let isClosed = self.state.withLock { state in
            state.descriptors += descriptors
            return state.isClosed
        }
        if isClosed { for descriptor in descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) } }
    }

    private func copy(from source: Int32, to sink: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(source, &buffer, buffer.count)
            guard count > 0 else { break }
            self.state.withLock { $0.bytes += buffer[..<count] }
            guard send(sink, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
        }
        shutdown(sink, Int32(SHUT_WR))
    }
}

/// A connection to a port of this host, or -1.
///
/// - Parameter host: the last number of the address that it comes from; all of 127.0.0.0/8 is this host's.
func connectLoopback(port: UInt16, from host: UInt32 = 1) -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var (own, target) = (loopback(port: 0, host: host), loopback(port: port))
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isConnected = withUnsafePointer(to: &own) { own in
        withUnsafePointer(to: &target) { target in
            own.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) == 0 }
                && target.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) == 0 }
        }
    }
    guard isConnected else {
        close(descriptor)
        return -1
    }
    return descriptor
}

private func loopback(port: UInt16, host: UInt32 = 1) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = (UInt32(0x7f00_0000) + host).bigEndian
    address.sin_port = port.bigEndian
    return address
}
