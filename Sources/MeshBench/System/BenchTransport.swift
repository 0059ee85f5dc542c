import ActorMesh

/// How the processes of a measurement are connected.
enum BenchTransport: String, Sendable, CaseIterable {
    case ipc
    case tcp

    /// What a mesh can be made to use between processes of one host.
    static let ofMesh: [BenchTransport] = [.ipc, .tcp]

    /// A mesh whose processes are connected so.
    var configuration: MeshConfiguration {
        switch self {
        case .ipc: MeshConfiguration()
        case .tcp: MeshConfiguration(bind: ["tcp://127.0.0.1:*"], settings: MeshSettings(localTransport: .tcp))
        }
    }

    /// Where a raw socket is bound.
    func rawEndpoint() -> String {
        switch self {
        // An abstract name: no file is left behind, whoever is killed.
        case .ipc: "ipc://@actormesh-bench-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        case .tcp: "tcp://127.0.0.1:*"
        }
    }

    /// How the names of its workloads end.
    var suffix: String { self == .ipc ? "" : ".\(self.rawValue)" }
}
