import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes {
    /// By which addresses the processes of different hosts reach each other.
    @Suite(.onlyWithNetworks) struct Reach {
        @Test("hosts that share a folder for sockets but no network do not take each other for local")
        func apart() async throws {
            try await Network.with("broker", "one", "driver") { network in
                let cluster = try await NetworkCluster(network)
                let node = try await cluster.node(on: "one")
                try await Self.expectCalls(cluster)
                withExtendedLifetime(node) {}
            }
        }

        @Test("hosts that have only IPv6 reach each other")
        func version6() async throws {
            try await Network.with("broker", "one", "driver", version6: true) { network in
                let cluster = try await NetworkCluster(network)
                #expect(cluster.address == "tcp://[fd77::1]:4711")
                let node = try await cluster.node(on: "one", "--bind", "tcp://[::]:*")
                try await Self.expectCalls(cluster)
                withExtendedLifetime(node) {}
            }
        }

        @Test("who takes in messages on all interfaces, and has no way to anywhere else, tells of the addresses it has")
        func withoutDefaultRoute() async throws {
            try await Network.with("broker", "one", "driver") { network in
                let cluster = try await NetworkCluster(network, binding: "tcp://0.0.0.0:4711")
                #expect(cluster.address == "tcp://10.77.0.1:4711")
                let node = try await cluster.node(on: "one", "--bind", "tcp://0.0.0.0:*")
                try await Self.expectCalls(cluster)
                withExtendedLifetime(node) {}
            }
        }

        @Test(
            "a node behind a translated address, and its workers in a range of ports, are reached by what they advertise",
            .enabled(if: access("/usr/sbin/iptables", X_OK) == 0, "iptables is not installed"))
        func translated() async throws {
            try await Network.with("broker", "one", "driver") { network in
                // An address that the node's host does not have: what comes for it is sent on to the host's own.
                let (one, published) = (try network["one"], "10.88.0.9")
                try one.run(
                    "iptables",
                    ["-t", "nat", "-A", "PREROUTING", "-d", published, "-j", "DNAT", "--to-destination", one.address])
                for other in ["broker", "driver"] {
                    try network[other].run("ip", ["route", "add", published, "via", one.address])
                }
                let cluster = try await NetworkCluster(network)
                let node = try await cluster.node(
                    on: "one", "--bind", "tcp://0.0.0.0:6000-6020", "--advertise", "tcp://\(published):*")
                try await Self.expectCalls(cluster)
                try await cluster.drive(on: "driver") { mesh in
                    let endpoints = try await mesh.nodes().flatMap(\.endpoints).filter { $0.hasPrefix("tcp:") }
                    #expect(endpoints == ["tcp://\(published):6000"])
                }
                withExtendedLifetime(node) {}
            }
        }

        /// A driver's actor on `one` answers, and by the network.
        private static func expectCalls(_ cluster: NetworkCluster) async throws {
            let network = cluster.network
            try await cluster.drive(on: "driver") { mesh in
                let echo = try await mesh.spawn(Echo.self)
                let (one, driver) = (try network["one"], try network["driver"])
                let before = (network.frames(from: driver, to: one), network.frames(from: one, to: driver))
                for number in 0..<10 { #expect(try await echo.text("\(number)") == "\(number)") }
                #expect(network.frames(from: driver, to: one) > before.0)
                #expect(network.frames(from: one, to: driver) > before.1)
            }
        }
    }
}
