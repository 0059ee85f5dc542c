import ActorMesh
import Foundation
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

        @Test("of several advertised addresses the one in the caller's own network is taken")
        func severalAddresses() async throws {
            try await Network.with("broker", "one", "driver") { network in
                let cluster = try await NetworkCluster(network)
                // There is no way to the first one.
                let node = try await cluster.node(
                    on: "one", "--bind", "tcp://0.0.0.0:*", "--advertise", "tcp://198.51.100.9:*", "--advertise",
                    "tcp://\(try network["one"].host):*")
                try await Self.expectCalls(cluster)
                withExtendedLifetime(node) {}
            }
        }

        @Test(
            "processes with a process table of their own keep their sockets when others tidy up the folder they share")
        func sharedFolder() async throws {
            let before = Self.socketFolders()
            let inside = try FixtureProgram(
                ["broker", "--bind", "tcp://127.0.0.1:*"],
                within: ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"])
            _ = try #require(await inside.line())
            // Others may make some meanwhile; the third part of the name says whose process table theirs is.
            let own = Self.socketFolders().subtracting(before).filter { folder in
                let parts = folder.split(separator: "-").map(String.init)
                return parts.count == 4 && parts[2] != Self.processSpace
            }
            defer { for folder in own { try? FileManager.default.removeItem(atPath: Self.base + "/" + folder) } }
            #expect(own.count == 1)
            let outside = try FixtureProgram("broker", "--bind", "tcp://127.0.0.1:*")
            _ = try #require(await outside.line())
            #expect(own.isSubset(of: Self.socketFolders()))
            outside.send(SIGTERM)
            #expect(await outside.wait() == 0)
        }

        private static let base = FileManager.default.temporaryDirectory.path + "/actormesh-\(geteuid())"

        /// This process's own process table.
        private static let processSpace: String = {
            var status = stat()
            return stat("/proc/self/ns/pid", &status) == 0 ? String(status.st_ino, radix: 36) : "0"
        }()

        /// The folders in which this user's processes have their sockets.
        private static func socketFolders() -> Set<String> {
            Set((try? FileManager.default.contentsOfDirectory(atPath: self.base)) ?? [])
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
