import Foundation
import Glibc
import MeshCore
import Synchronization
import Testing

/// Several hosts on this machine, and a switch between them.
final class Network: Sendable {
    let hosts: [NetworkHost]
    private let center: NetworkSwitch

    private init(_ names: [String], version6: Bool, seed: UInt64) throws {
        self.hosts = try names.enumerated().map { index, name in
            try NetworkHost(number: index + 1, name: name, version6: version6)
        }
        self.center = try NetworkSwitch(self.hosts, seed: seed)
    }

    /// Runs a body with hosts that reach each other. Afterwards, also when it throws, every process on them is killed,
    /// and it is checked that none is left.
    static func with(
        _ names: String..., version6: Bool = false, _ body: (Network) async throws -> Void
    ) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        let network = try Network(names, version6: version6, seed: seed)
        do {
            try await body(network)
        } catch {
            await network.end()
            throw error
        }
        await network.end()
    }

    /// The host with a name.
    subscript(name: String) -> NetworkHost {
        get throws {
            try #require(self.hosts.first { $0.name == name }, "There is no host \(name).")
        }
    }

    private func end() async {
        for host in self.hosts {
            do {
                let processes = try host.processes()
                for process in processes { kill(process, SIGKILL) }
                try await poll { try host.processes().isEmpty }
            } catch {
                Issue.record("Host \(host.name) was not cleared: \(error)")
            }
            host.end()
        }
        await self.center.end()
    }

    // MARK: What is done to the network

    /// Changes the way from each of the hosts to each other one, in one direction.
    func set(_ way: NetworkSwitch.Way, from senders: [NetworkHost], to receivers: [NetworkHost]) {
        self.center.set(way, Self.pairs(from: senders, to: receivers))
    }

    /// Lets nothing through from the one hosts to the others, in this direction.
    func cut(from senders: NetworkHost..., to receivers: NetworkHost...) {
        self.set(NetworkSwitch.Way(isCut: true), from: senders, to: receivers)
    }

    /// Lets nothing through between the one hosts and all others.
    func isolate(_ cutOff: NetworkHost...) {
        let rest = self.hosts.filter { host in !cutOff.contains { $0 === host } }
        self.set(NetworkSwitch.Way(isCut: true), from: cutOff, to: rest)
        self.set(NetworkSwitch.Way(isCut: true), from: rest, to: cutOff)
    }

    /// Makes every way the same.
    func setAll(_ way: NetworkSwitch.Way) { self.set(way, from: self.hosts, to: self.hosts) }

    /// Lets everything through, at once and in order.
    func heal() { self.setAll(NetworkSwitch.Way()) }

    // MARK: What is seen of it

    /// How many frames of IP hosts sent to others.
    func frames(from sender: NetworkHost, to receiver: NetworkHost) -> Int {
        self.center.frames(NetworkSwitch.Pair(from: sender.number, to: receiver.number))
    }

    /// How many connections a host has tried to make to another, the first time and again.
    func attempts(from sender: NetworkHost, to receiver: NetworkHost) -> Int {
        self.center.attempts(NetworkSwitch.Pair(from: sender.number, to: receiver.number))
    }

    private static func pairs(from senders: [NetworkHost], to receivers: [NetworkHost]) -> [NetworkSwitch.Pair] {
        senders.flatMap { sender in
            receivers.filter { $0 !== sender }.map { NetworkSwitch.Pair(from: sender.number, to: $0.number) }
        }
    }

    // MARK: Whether there can be any

    /// Why no hosts can be made here; nil when they can.
    static let obstacle: String? = {
        guard geteuid() == 0 else { return "only root may make network namespaces" }
        guard access("/dev/net/tun", R_OK | W_OK) == 0 else { return "there is no /dev/net/tun" }
        do {
            try NetworkHost(number: 1, name: "probe", version6: false).end()
            return nil
        } catch {
            return "\(error)"
        }
    }()
}

extension Trait where Self == ConditionTrait {
    /// Runs a suite only where hosts can be made, and says why where they cannot.
    static var onlyWithNetworks: Self {
        .disabled(if: Network.obstacle != nil, "No partitions are tested here: \(Network.obstacle ?? "")")
    }
}
