import Distributed
import MeshCore

/// References to objects, as they leave this process and come into it.
extension Mesh {
    /// An object that this process makes and owns.
    package func makeObject<Value>(
        _ type: Value.Type = Value.self, policy: BackPressure = .wait
    ) -> PendingObject<Value> {
        PendingObject(UniqueID.makeObject(of: self.address.peer), policy: policy)
    }

    /// A reference is about to be passed on: this process's hold on the object, which the message pins.
    func share(_ object: PendingResult) -> HandleLease {
        if let lease = object.lease { return lease }
        let lease = self.lease(for: object.id)
        let isOwn = object.id.owner == self.address.peer
        // Whoever sees the lease passes the reference on: then it must be in the table already.
        if isOwn {
            self.objects.prepare(on: self)
            self.objects.give(object)
        }
        object.enter(self.objects, lease: lease)
        // What it came to in between nobody has told the table.
        if isOwn, let outcome = object.anyOutcome { self.objects.complete(object.id, with: outcome) }
        return lease
    }

    /// The object that a reference names.
    ///
    /// - Throws: `decodingFailed` when it is one of this process's own and of another type.
    func object<Value>(_ id: UniqueID, of owner: PeerAddress, _ type: Value.Type) throws -> PendingObject<Value> {
        guard owner.peer != self.address.peer else { return try self.ownObject(id) }
        let object = self.objects.taken(id, type) {
            let object = PendingObject<Value>(id)
            object.belongs(to: owner) { [weak self, weak object] in
                Task { await self?.fetch(id, from: owner) { object } }
            }
            // Also when its value is there: a task may write a stream that is its value.
            object.setLateCancel { [weak self] in
                guard let self else { return }
                self.detach { try await self.objectHost(at: owner).cancel(id) }
            }
            return object
        }
        if object.lease == nil { object.enter(self.objects, lease: self.lease(for: id)) }
        return object
    }

    /// An object of this process whose reference has come back.
    private func ownObject<Value>(_ id: UniqueID) throws -> PendingObject<Value> {
        let known = self.objects.find(id)
        if let object = known?.object {
            guard let object = object as? PendingObject<Value> else { throw Self.mistyped(id, Value.self) }
            return object
        }
        let object = PendingObject<Value>(id)
        object.enter(self.objects, lease: self.lease(for: id))
        if let outcome = known?.outcome {
            guard let outcome = outcome as? ObjectOutcome<Value> else { throw Self.mistyped(id, Value.self) }
            object.become(outcome)
            self.objects.renew(object)
        } else {
            object.become(.failure(Self.freed(id)))
        }
        return object
    }

    private static func mistyped(_ id: UniqueID, _ type: Any.Type) -> MeshError {
        MeshError(.decodingFailed, "The object \(id.short) is no \(type).")
    }

    static func freed(_ id: UniqueID) -> MeshError {
        MeshError(.objectLost, "The object \(id.short) has been freed: nobody held a reference to it any more.")
    }

    /// Asks the owner of an object what it came to, and waits until it has.
    ///
    /// - Parameter object: the object, as long as somebody here refers to it.
    private func fetch<Value>(
        _ id: UniqueID, from owner: PeerAddress, _ object: () -> PendingObject<Value>?
    ) async {
        let outcome: ObjectOutcome<Value>
        do {
            switch try await self.objectHost(at: owner).fetch(id) {
            case .value(let value): outcome = .value(try self.decode(Value.self, from: value, what: "The object"))
            case .failure(let error): outcome = .failure(self.decodeError(error))
            case .stored(let stored, let holds):
                outcome = .stored(StoredValue(stored, holds: holds, isOwn: false, on: self))
            }
        } catch let error as MeshError where error.code == .actorDied || error.code == .actorUnavailable {
            let message =
                "The object is lost: its owner, process \(owner.processID) (\(owner.peer)), has ended or cannot be reached."
            outcome = .failure(MeshError(.objectLost, message, cause: error))
        } catch {
            outcome = .failure(error)
        }
        object()?.become(outcome)
    }

    /// Where a process is asked for objects.
    func objectHost(at address: PeerAddress) throws -> ObjectHost {
        try self.service(ObjectHost.self, WellKnown.objects, at: address)
    }
}
