import FoundationEssentials
import MeshCluster
import MeshCore
import MeshRuntime

/// A machine: a node and its workers. A host that is down is none any more.
struct HostModel {
    var registration: NodeRegistration
    var isFrozen = false
    var workers: Set<PeerID> = []
    var shared: PeerID?
    var instances: [UniqueID: Instance] = [:]
    /// Until when it may act without hearing the broker.
    var leaseEnd: UInt64 = .max
    /// Whether its lease has run out. Then it starts nothing before it has joined again: what it was asked is too old.
    var isFenced = false
    /// What it said to join again, and when.
    var registrationCall: (call: UInt64, time: UInt64)?
    /// What the broker has to know and has not said that it does.
    var news: [(call: UInt64, question: Question)] = []

    /// A life of an actor in one of its workers.
    struct Instance {
        enum State { case starting, alive, stopping }

        var spec: ActorSpec
        var worker: PeerID
        var state = State.starting
        var startCall: UInt64?
        var endCalls: [UInt64] = []
        /// Until when it has something to do.
        var busyUntil: UInt64 = 0
    }
}

extension World {
    static func address(_ peer: PeerID) -> PeerAddress { RegistryHarness.address(peer) }

    mutating func addHost() {
        let peer = self.makePeer()
        self.hosts[peer] = HostModel(registration: self.registration(of: peer))
        self.record("host \(peer.name) comes")
        if self.broker.isUp { self.rejoin(peer) }
    }

    private mutating func registration(of peer: PeerID) -> NodeRegistration {
        guard self.rules.scarcity else { return RegistryHarness.registration(peer) }
        let resources = Resources(
            cpus: Double(1 + self.pick(4)), gpus: Double(self.pick(3)), custom: ["license": Double(self.pick(3))])
        return RegistryHarness.registration(peer, resources: resources)
    }

    /// Presents a node to the broker, or lets a driver join, the first time or again.
    mutating func rejoin(_ peer: PeerID) {
        self.fenceIfLate(peer)
        guard let host = self.hosts[peer] else { return self.rejoinDriver(peer) }
        // What ended is told first, so that nothing that is not listed any more is taken for dead.
        for news in host.news { self.send(.question(news.call, news.question), from: peer, to: .broker) }
        let instances = host.instances.values.filter { self.processes[$0.worker] != nil }
        let actors = instances.sorted { $0.spec.id.low < $1.spec.id.low }.map {
            HostedSpec(spec: $0.spec, address: Self.address($0.worker))
        }
        let workers = host.workers.sorted { $0.number < $1.number }
        let call = self.makeNumber()
        self.hosts[peer]?.registrationCall = (call, self.time)
        self.send(.question(call, .register(actors, workers)), from: peer, to: .broker)
        // Until it is admitted it does not try again.
        if self.broker.isUp { self.broker.leases.hear(peer, at: self.time) }
        if !host.isFenced { self.hosts[peer]?.leaseEnd = self.time + self.rules.leaseTime }
        for worker in workers { self.reportAll(worker) }
    }

    private mutating func tellBroker(_ question: Question, from host: PeerID) {
        let call = self.makeNumber()
        self.hosts[host]?.news.append((call, question))
        if self.broker.isUp { self.send(.question(call, question), from: host, to: .broker) }
    }

    mutating func receiveAtHost(_ letter: Letter) {
        let host = letter.receiver
        switch letter.message {
        case .answer(let call, _):
            self.hosts[host]?.news.removeAll { $0.call == call }
            if let asked = self.hosts[host]?.registrationCall, asked.call == call {
                self.hosts[host]?.isFenced = false
                self.hosts[host]?.leaseEnd = asked.time + self.rules.leaseTime
            }
        case .question(let call, .start(let spec)): self.start(spec, call, on: host)
        case .question(let call, .end(let life, let mode)): self.end(life, mode, call, on: host)
        case .question(let call, .awaitIdle(let life)): self.awaitIdle(life, call, on: host)
        case .question(let call, .decide(let life)): self.decide(life, call, on: host)
        default: break
        }
    }

    mutating func answer(_ call: UInt64, _ answer: Answer, from host: PeerID) {
        self.send(.answer(call, answer), from: host, to: .broker)
    }

    // MARK: Actors

    private mutating func start(_ spec: ActorSpec, _ call: UInt64, on host: PeerID) {
        guard self.hosts[host]?.isFenced == false else { return self.answer(call, .refused("no lease"), from: host) }
        // An earlier life must not answer beside a later one.
        if let earlier = self.hosts[host]?.instances[spec.id] { self.remove(earlier, on: host) }
        let worker = self.worker(for: spec, on: host)
        self.hosts[host]?.instances[spec.id] = HostModel.Instance(spec: spec, worker: worker, startCall: call)
        self.plan(.initialised(spec.life, host), in: self.wait(upTo: 2 * self.rules.delay))
    }

    private mutating func worker(for spec: ActorSpec, on host: PeerID) -> PeerID {
        let isShared = spec.options.placement == .shared
        if isShared, let worker = self.hosts[host]?.shared, self.processes[worker] != nil { return worker }
        let worker = self.makePeer()
        self.processes[worker] = ProcessModel(host: host)
        self.hosts[host]?.workers.insert(worker)
        if isShared { self.hosts[host]?.shared = worker }
        return worker
    }

    private func instance(_ life: ActorLife, on host: PeerID) -> HostModel.Instance? {
        guard let instance = self.hosts[host]?.instances[life.id], instance.spec.incarnation == life.incarnation else {
            return nil
        }
        return instance
    }

    mutating func initialised(_ life: ActorLife, on host: PeerID) {
        guard let instance = self.instance(life, on: host), instance.state == .starting,
            self.processes[instance.worker] != nil
        else { return }
        if self.stashes(.initialised(life, host), in: instance.worker) { return }
        switch self.isQuiet ? 9 : self.pick(12) {
        case 0:
            if let call = instance.startCall { self.answer(call, .failed, from: host) }
            self.hosts[host]?.instances[life.id]?.startCall = nil
            self.remove(instance, on: host)
        case 1: self.endProcess(instance.worker)
        default:
            self.hosts[host]?.instances[life.id]?.state = .alive
            self.hosts[host]?.instances[life.id]?.startCall = nil
            if let call = instance.startCall { self.answer(call, .started(instance.worker), from: host) }
        }
    }

    /// Ends an actor at once, and its process when it had one of its own.
    private mutating func remove(_ instance: HostModel.Instance, on host: PeerID) {
        guard instance.spec.options.placement == .shared else { return self.endProcess(instance.worker) }
        self.hosts[host]?.instances[instance.spec.id] = nil
        if let call = instance.startCall { self.answer(call, .refused("ended while it started"), from: host) }
        for call in instance.endCalls { self.answer(call, .done, from: host) }
    }

    private mutating func end(_ life: ActorLife, _ mode: EndMode, _ call: UInt64, on host: PeerID) {
        guard let instance = self.instance(life, on: host) else { return self.answer(call, .done, from: host) }
        self.hosts[host]?.instances[life.id]?.endCalls.append(call)
        guard case .stop(let time) = mode, instance.state != .starting else {
            if let instance = self.instance(life, on: host) { self.remove(instance, on: host) }
            return
        }
        self.hosts[host]?.instances[life.id]?.state = .stopping
        let idle = max(instance.busyUntil, self.time) + self.wait(upTo: self.rules.delay)
        self.plan(.stopped(life, host), in: min(idle, self.time + time) - self.time)
    }

    mutating func stopped(_ life: ActorLife, on host: PeerID) {
        guard let instance = self.instance(life, on: host), instance.state == .stopping else { return }
        if self.stashes(.stopped(life, host), in: instance.worker) { return }
        self.remove(instance, on: host)
    }

    /// An actor ends itself.
    mutating func exit(_ life: ActorLife, on host: PeerID) {
        guard let instance = self.instance(life, on: host) else { return }
        self.hosts[host]?.instances[life.id] = nil
        if let call = instance.startCall { self.answer(call, .refused("ended itself"), from: host) }
        for call in instance.endCalls { self.answer(call, .done, from: host) }
        self.tellBroker(.exited(life), from: host)
        if instance.spec.options.placement == .process { self.endProcess(instance.worker) }
    }

    private mutating func awaitIdle(_ life: ActorLife, _ call: UInt64, on host: PeerID) {
        guard let instance = self.instance(life, on: host) else { return self.answer(call, .isHeld(false), from: host) }
        self.plan(.isIdle(life, call, host), in: max(instance.busyUntil, self.time) - self.time)
    }

    mutating func tellIdle(_ life: ActorLife, _ call: UInt64, on host: PeerID) {
        guard let instance = self.instance(life, on: host), let process = self.processes[instance.worker] else {
            return self.answer(call, .isHeld(true), from: host)
        }
        if self.stashes(.isIdle(life, call, host), in: instance.worker) { return }
        self.answer(call, .isHeld(process.leases[life.id] != nil), from: host)
    }

    private mutating func decide(_ life: ActorLife, _ call: UInt64, on host: PeerID) {
        let decisions: [Supervision.Decision] =
            self.isQuiet ? [.restart] : [.restart, .restart, .restart, .stop, .escalate]
        guard let decision = self.pick(decisions), self.instance(life, on: host) != nil else {
            return self.answer(call, .decision(.restart), from: host)
        }
        self.plan(.decides(decision, call, host), in: self.wait(upTo: self.rules.delay))
    }

    // MARK: Workers

    /// A process ends, whatever it was doing.
    mutating func endProcess(_ peer: PeerID) {
        guard let process = self.processes.removeValue(forKey: peer) else { return }
        self.record("\(peer.name) ends")
        self.cutLetters(of: peer)
        self.forgetStash(of: peer)
        for other in self.processes.keys.sorted(by: { $0.number < $1.number }) { self.forget(peer, in: other) }
        if let host = process.host {
            self.plan(.reaped(peer, host), in: self.wait(upTo: 5_000_000))
        } else if !self.chance(4) {
            self.plan(.brokerHearsOfEnd(peer), in: self.wait(upTo: 50_000_000))
        }
    }

    /// A node notices that one of its workers has ended.
    mutating func reaped(_ worker: PeerID, on host: PeerID) {
        guard let model = self.hosts[host] else { return }
        self.hosts[host]?.workers.remove(worker)
        if model.shared == worker { self.hosts[host]?.shared = nil }
        for instance in model.instances.values.sorted(by: { $0.spec.id.low < $1.spec.id.low })
        where instance.worker == worker {
            self.hosts[host]?.instances[instance.spec.id] = nil
            if let call = instance.startCall { self.answer(call, .crashed, from: host) }
            for call in instance.endCalls { self.answer(call, .done, from: host) }
        }
        self.tellBroker(.workerEnded(worker), from: host)
    }

    /// Ends the workers that do not answer.
    mutating func checkWorkers() {
        for (peer, process) in self.processes.sorted(by: { $0.key.number < $1.key.number }) {
            guard process.isFrozen, let host = process.host, self.hosts[host]?.isFrozen == false,
                self.time > process.frozenAt + self.rules.leaseTime
            else { continue }
            self.endProcess(peer)
        }
    }

    // MARK: The host itself

    /// A node whose lease has run out ends what it has.
    mutating func fenceIfLate(_ host: PeerID) {
        guard let model = self.hosts[host], self.time >= model.leaseEnd, !model.isFenced else { return }
        self.record("\(host.name) fences itself")
        for worker in model.workers.sorted(by: { $0.number < $1.number }) { self.endProcess(worker) }
        self.hosts[host]?.isFenced = true
    }

    mutating func crashHost(_ host: PeerID) {
        guard let model = self.hosts.removeValue(forKey: host) else { return }
        self.record("host \(host.name) crashes")
        for worker in model.workers.sorted(by: { $0.number < $1.number }) { self.endProcess(worker) }
        self.cutLetters(of: host)
        self.forgetStash(of: host)
        if !self.chance(4) { self.plan(.brokerHearsOfEnd(host), in: self.wait(upTo: 50_000_000)) }
    }

    mutating func freeze(_ peer: PeerID, for duration: UInt64) {
        self.record("\(peer.name) is frozen")
        if self.hosts[peer] != nil {
            self.hosts[peer]?.isFrozen = true
        } else {
            self.processes[peer]?.isFrozen = true
            self.processes[peer]?.frozenAt = self.time
        }
        for process in self.processes.keys where process == peer || self.processes[process]?.host == peer {
            self.processes[process]?.wasFrozenUntil = self.time + duration
        }
        self.plan(.thaw(peer), in: duration)
    }

    mutating func thaw(_ peer: PeerID) {
        guard self.hosts[peer]?.isFrozen ?? self.processes[peer]?.isFrozen ?? false else { return }
        self.record("\(peer.name) goes on")
        if self.hosts[peer] != nil {
            self.hosts[peer]?.isFrozen = false
            self.fenceIfLate(peer)
            self.goOn(peer)
            let workers = self.hosts[peer]?.workers ?? []
            for worker in workers.sorted(by: { $0.number < $1.number }) where !self.isFrozen(worker) {
                self.goOn(worker)
            }
        } else {
            self.processes[peer]?.isFrozen = false
            if !self.isFrozen(peer) { self.goOn(peer) }
        }
    }
}
