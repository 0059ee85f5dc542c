import Distributed
import FoundationEssentials
import Logging
import MeshCore
import MeshMessagePack
import MeshRuntime

/// A broker with a store answers only when what it answers is stored (B2).
///
/// The registry in memory is always what is true now. A write that fails takes nothing of it back: whoever waits for it
/// is told, what follows waits, and it is written again until that works. Only an actor that is just being made is
/// ended when it cannot be written.
extension Broker {
    /// Returns when everything that has happened is stored; at once without a store.
    ///
    /// - Throws: `systemFailure` when the write failed, with the store's words.
    func stored() async throws(MeshError) {
        guard self.journal?.isBehind == true else { return }
        let result = await withUnsafeContinuation { waiter in
            self.journal?.wait(waiter)
            self.beginWriting()
        }
        try result.get()
    }

    /// Returns when everything that has happened is stored, however long it takes; at once without a store.
    ///
    /// - Throws: `CancellationError`, when a write has failed.
    func storedAtLast() async throws {
        while true {
            do {
                return try await self.stored()
            } catch {
                try await Task.sleep(for: .nanoseconds(Int64(self.registry.settings.retryTime)))
            }
        }
    }

    /// Writes what is not written, unless somebody is about it.
    func beginWriting() {
        guard let store = self.store, self.journal?.canBegin == true, let batch = self.journal?.begin() else { return }
        let keys = batch.changed.contains(WellKnown.revokedKeys) ? self.revokedKeys : nil
        let groups = batch.changed.contains(WellKnown.placementGroups) ? self.registry.groupRecords : nil
        let records = batch.changed.filter { ![WellKnown.revokedKeys, WellKnown.placementGroups].contains($0) }.map {
            (id: $0, record: self.registry.record(of: $0))
        }
        let terminations = batch.changed.compactMap { self.registry.terminations[$0] }
        let kept = self.registry.settings.remembered
        let mesh = self.actorSystem
        mesh.detach {
            let failure = await Self.write(records, keys, groups, terminations, keeping: kept, to: store)
            await self.hasWritten(batch, failure)
        }
    }

    private func hasWritten(_ batch: Journal.Batch, _ failure: MeshError?) {
        let hadFailed = self.journal?.failure != nil
        let waiters = self.journal?.end(batch, failure) ?? []
        if let failure {
            if !hadFailed {
                self.actorSystem.logger.error("the registry cannot be stored", metadata: ["error": "\(failure)"])
            }
            for waiter in waiters { waiter.resume(returning: .failure(failure)) }
            return self.scheduleRetry()
        }
        if hadFailed { self.actorSystem.logger.notice("the registry is stored again") }
        for effect in batch.effects { self.beginStored(effect) }
        for waiter in waiters { waiter.resume(returning: .success(())) }
        self.beginWriting()
    }

    /// Begins what has waited for the store, unless it is not wanted any more.
    private func beginStored(_ effect: Effect) {
        if case .start(let spec, _) = effect {
            guard let entry = self.registry.entries[spec.id], entry.phase == .starting,
                entry.spec.incarnation == spec.incarnation
            else { return }
        }
        self.begin(effect)
    }

    private func scheduleRetry() {
        guard !self.isRetryPlanned else { return }
        self.isRetryPlanned = true
        let mesh = self.actorSystem
        _ = mesh.schedule(at: self.now + self.registry.settings.retryTime) {
            guard !mesh.isStopped else { return }
            mesh.detach { await self.retry() }
        }
    }

    private func retry() {
        self.isRetryPlanned = false
        self.beginWriting()
    }

    /// Encodes and writes, beside the broker. Returns why it failed.
    @concurrent private static func write(
        _ records: [(id: UniqueID, record: Registry.Record?)], _ keys: Set<KeyIdentity>?,
        _ groups: [Registry.GroupRecord]?,
        _ terminations: [ActorTermination], keeping kept: Int, to store: any RegistryStore
    ) async -> MeshError? {
        do {
            let encoder = MessagePackEncoder()
            var changes = RegistryChanges(keptTerminations: kept)
            for (id, record) in records {
                if let record { changes.actors[id] = try encoder.encode(record) } else { changes.removed.append(id) }
            }
            let terminations = terminations.sorted { $0.date < $1.date }
            changes.terminations = try terminations.map { try encoder.encode($0) }
            if let keys { changes.actors[WellKnown.revokedKeys] = try encoder.encode(keys) }
            if let groups { changes.actors[WellKnown.placementGroups] = try encoder.encode(groups) }
            if !records.isEmpty || keys != nil || groups != nil { try await store.write(changes) }
            return nil
        } catch {
            let reason = (error as? MeshError)?.message ?? "\(error)"
            return MeshError(
                .systemFailure,
                "The broker cannot store what it was told, and goes on trying: \(reason) Make room or give it the right "
                    + "to write; what is stored is unharmed.")
        }
    }

    // MARK: The beginning

    /// The registry of an earlier broker, as a store has it.
    ///
    /// - Throws: `systemFailure` when it cannot be read.
    static func restore(
        _ stored: StoredRegistry, _ groups: [Registry.GroupRecord], _ settings: Registry.Settings,
        patience: (PeerAddress?) -> UInt64, at now: Moment
    ) throws(MeshError) -> Registry {
        do {
            // One that knows no mesh: the handles in what is read count only once the broker is there.
            let decoder = MessagePackDecoder()
            let records = try stored.actors.values.map { try decoder.decode(Registry.Record.self, from: $0) }
            let terminations = try stored.terminations.map { try decoder.decode(ActorTermination.self, from: $0) }
            return Registry(
                settings: settings, records: records, groups: groups, terminations: terminations, patience: patience,
                at: now)
        } catch {
            throw MeshError(
                .systemFailure, "What is in the broker's store cannot be read; another version has written it.",
                cause: error)
        }
    }

    /// Takes the placement groups out of what a store has.
    static func takeGroups(from stored: inout StoredRegistry) throws(MeshError) -> [Registry.GroupRecord] {
        guard let data = stored.actors.removeValue(forKey: WellKnown.placementGroups) else { return [] }
        do {
            return try MessagePackDecoder().decode([Registry.GroupRecord].self, from: data)
        } catch {
            throw MeshError(
                .systemFailure, "What is in the broker's store cannot be read; another version has written it.",
                cause: error)
        }
    }

    /// For how long a node may stay away that an earlier broker had: as long as it may act without a broker, unless it is
    /// known to have ended.
    static func patience(_ terms: MembershipTerms, on host: HostID) -> (PeerAddress?) -> UInt64 {
        { node in
            guard let node, node.host == host, ProcessStatus.startTime(of: node.processID) != node.startTime else {
                return terms.absence.nanoseconds + terms.leaseTime.nanoseconds
            }
            return terms.leaseTime.nanoseconds
        }
    }

    /// Begins what follows from what an earlier broker left. Called once, when this one can be called.
    func resume() {
        for (id, entry) in self.registry.entries where !entry.spec.arguments.actors.isEmpty {
            self.registry.entries[id]?.spec.arguments = entry.spec.arguments.held(on: self.actorSystem)
        }
        self.note { _, _ in }
    }
}
