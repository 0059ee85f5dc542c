import Testing

@testable import MeshDashboard

@Suite("Which requests are answered")
struct RequestPolicyTests {
    private let policy = RequestPolicy(allowing: ["Mesh.Example", "10.0.0.7"])

    private func isRefused(
        _ authority: String?, change: Bool = false, origin: String? = nil, site: String? = nil, mode: String? = nil
    ) -> Bool {
        self.policy.refusal(
            RequestPolicy.Facts(
                authority: authority, isChange: change, origin: origin, fetchSite: site, fetchMode: mode)) != nil
    }

    @Test(
        "the dashboard answers to its own names, at whatever port",
        arguments: [
            "localhost:8265", "LOCALHOST", "localhost.", "127.0.0.1:80", "[::1]:8265", "[::1]", "mesh.example:1",
            "10.0.0.7",
        ])
    func own(name: String) { #expect(!self.isRefused(name)) }

    @Test(
        "a name that was made to lead here is not answered (DNS rebinding)",
        arguments: [
            "evil.example", "evil.example:8265", "127.0.0.1.evil.example", "localhost.evil.example", "", "[::2]",
            "127.0.0.2", "::1:8265", "user@localhost", "localhost:evil.example", "127.0.0.1:8265@evil.example",
            "[::1]evil.example", "[::1]:evil.example", "[::1]:80:80", "localhost:80:80", "localhost:", "localhost:+80",
            "localhost:８０", "localhost/", "localhost:80/", "localhost,evil.example", " localhost", "[::1",
            "[localhost]",
            "localhost:123456",
        ])
    func foreign(name: String) {
        #expect(self.isRefused(name))
        #expect(self.isRefused(name, change: true, origin: "http://\(name)", site: "same-origin"))
    }

    @Test("names that are allowed may be written as addresses are", arguments: ["::2", "[::2]", "[::2]:80"])
    func allowedAddress(name: String) {
        let policy = RequestPolicy(allowing: [name])
        #expect(policy.refusal(RequestPolicy.Facts(authority: "[::2]:8265", isChange: false)) == nil)
    }

    @Test("a request without a host is not answered")
    func none() { #expect(self.isRefused(nil)) }

    @Test("other sites may lead here by a link, and not read")
    func reading() {
        #expect(!self.isRefused("localhost", site: "cross-site", mode: "navigate"))
        #expect(self.isRefused("localhost", site: "cross-site", mode: "no-cors"))
        #expect(self.isRefused("localhost", site: "same-site", mode: "cors"))
        #expect(!self.isRefused("localhost", site: "same-origin", mode: "cors"))
        #expect(!self.isRefused("localhost", site: "none", mode: "navigate"))
    }

    @Test("only this very origin may change something; another port of this host is another one")
    func changes() {
        #expect(!self.isRefused("localhost:8265", change: true, origin: "http://localhost:8265", site: "same-origin"))
        #expect(!self.isRefused("localhost:8265", change: true, origin: "http://localhost:8265"))
        #expect(!self.isRefused("localhost:8265", change: true, site: "same-origin"))
        for (origin, site) in [
            ("http://evil.example", nil), ("http://localhost:8000", nil), ("null", nil), (nil, nil),
            ("http://localhost:8265", "cross-site"), ("http://localhost:8000", "same-site"), (nil, "none"),
            ("http://127.0.0.1:8265", nil),
        ] as [(String?, String?)] {
            #expect(self.isRefused("localhost:8265", change: true, origin: origin, site: site))
        }
    }
}
