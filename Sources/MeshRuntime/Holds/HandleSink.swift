import FoundationEssentials
import MeshCore
import MeshMessagePack

/// Takes note of the counted handles in what is being encoded.
protocol HandleSink: MessagePackAttachmentSink {
    /// Keeps an actor held for as long as the encoded bytes may be on their way.
    func note(_ lease: HandleLease)
    /// The receiver of a handle is counted already.
    func noteGranted(_ actor: UniqueID)
}

extension HandleSink {
    /// Only who knows that the bytes go straight to one receiver can pass a grant on.
    func noteGranted(_ actor: UniqueID) {}
}

/// Gathers the handles in values that are encoded ahead, whose large parts stay in them.
final class HandleNotes: HandleSink {
    private var noted = LeaseSet()

    var leases: [HandleLease] { self.noted.leases }

    func attach(_ data: Data) -> Int? { nil }

    func note(_ lease: HandleLease) { self.noted.insert(lease) }
}

/// Leases without repetition, in the order in which they came.
struct LeaseSet {
    private(set) var leases: [HandleLease] = []
    /// Filled when there are too many to look at each.
    private var known: Set<ObjectIdentifier> = []
    private static let few = 8

    mutating func insert(_ lease: HandleLease) {
        if self.leases.count < Self.few {
            if !self.leases.contains(where: { $0 === lease }) { self.leases.append(lease) }
            return
        }
        if self.known.isEmpty { self.known = Set(self.leases.map { ObjectIdentifier($0) }) }
        if self.known.insert(ObjectIdentifier(lease)).inserted { self.leases.append(lease) }
    }
}

extension Encoder {
    /// Who takes note of handles in what this encodes; nil when nobody does, as in an encoder that is not a mesh's.
    var handleSink: (any HandleSink)? { MessagePackEncoder.sink(of: self) as? any HandleSink }
}
