import MeshCore
import MeshDashboard
import Testing

@Suite("Where a dashboard listens")
struct DashboardConfigurationTests {
    @Test(
        "an address is a host and a port",
        arguments: [
            ("127.0.0.1:8265", "127.0.0.1", 8265), ("[::1]:*", "::1", 0), ("localhost:80", "localhost", 80),
        ])
    func binding(text: String, host: String, port: Int) throws {
        var configuration = DashboardConfiguration()
        try configuration.bind(to: text)
        #expect(configuration.host == host)
        #expect(configuration.port == port)
        try configuration.check()
    }

    @Test(
        "anything else is told with what to write",
        arguments: ["8265", "127.0.0.1", ":8265", "::1:8265", "127.0.0.1:99999", "tcp://127.0.0.1:1", "a b:1", ""])
    func nonsense(text: String) {
        var configuration = DashboardConfiguration()
        let error = #expect(throws: MeshError.self) { try configuration.bind(to: text) }
        #expect(error?.message.contains("127.0.0.1:8265") == true)
    }

    @Test(
        "where others could reach it, it listens only when somebody says that they are kept out",
        arguments: ["0.0.0.0:8265", "[::]:8265", "10.0.0.7:8265", "mesh.example:8265", "[::ffff:10.0.0.7]:8265"])
    func exposed(text: String) throws {
        var configuration = DashboardConfiguration()
        try configuration.bind(to: text)
        let error = #expect(throws: MeshError.self) { try configuration.check() }
        #expect(error?.message.contains("--behind-proxy") == true)
        configuration.isBehindProxy = true
        try configuration.check()
    }
}
