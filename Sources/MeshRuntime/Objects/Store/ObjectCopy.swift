import MeshCore
import Synchronization

/// A copy of another store's segment, that is there or being fetched.
final class ObjectCopy: Sendable {
    let object: StoredObject
    /// Where it is, as soon as it is there.
    let result = PendingObject<StoredObject>(UniqueID.make())
    private let left: Atomic<Int>

    init(of object: StoredObject) {
        self.object = object
        self.left = Atomic(object.size)
    }

    /// How many bytes are still to come.
    var bytesLeft: Int { self.left.load(ordering: .relaxed) }

    /// So many bytes have come.
    func add(_ count: Int) { self.left.subtract(count, ordering: .relaxed) }

    /// Nothing comes any more.
    func finish() { self.left.store(0, ordering: .relaxed) }
}
