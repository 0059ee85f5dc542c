import DequeModule
import HeapModule
package import MeshCore

/// Who waits to be put on a node, in the order in which they came.
///
/// Those who ask for the same stand in one line: when the first of a line cannot be served, neither can the others, so
/// serving costs by the lines and not by those who wait.
package struct PlacementQueue: Sendable {
    /// Who waits.
    package enum Member: Hashable, Sendable {
        case actor(UniqueID)
        case lease(UniqueID)
        case group(UniqueID)
    }

    package enum Line: Hashable, Sendable {
        case request(PlacementRequest)
        case group(UniqueID)
    }

    package struct Place: Hashable, Sendable {
        package var member: Member
        package var number: UInt64
    }

    private var lines: [Line: Deque<Place>] = [:]
    private var places: [Member: (line: Line, number: UInt64)] = [:]

    package init() {}

    package var isEmpty: Bool { self.places.isEmpty }
    package var count: Int { self.places.count }
    package var members: some Collection<Member> & Sendable { self.places.keys }

    package func contains(_ member: Member) -> Bool { self.places[member] != nil }

    package func line(of member: Member) -> Line? { self.places[member]?.line }

    /// Somebody comes, or comes again with a number that he had before others. One who waits already keeps his place.
    package mutating func add(_ member: Member, to line: Line, number: UInt64) {
        guard self.places[member] == nil else { return }
        self.places[member] = (line, number)
        var waiting = self.lines.removeValue(forKey: line) ?? []
        let index = waiting.lastIndex { $0.number < number }.map { $0 + 1 } ?? 0
        waiting.insert(Place(member: member, number: number), at: index)
        self.lines[line] = waiting
    }

    /// Somebody was served, or does not wait any more.
    @discardableResult
    package mutating func remove(_ member: Member) -> Bool {
        guard let place = self.places.removeValue(forKey: member),
            var waiting = self.lines.removeValue(forKey: place.line)
        else { return false }
        if waiting.first?.member == member {
            waiting.removeFirst()
        } else {
            waiting.removeAll { $0.member == member }
        }
        if !waiting.isEmpty { self.lines[place.line] = waiting }
        return true
    }

    package func first(of line: Line) -> Place? { self.lines[line]?.first }

    /// The first ones of all lines, whose turn it is one after the other.
    package func makeTurns() -> Turns {
        Turns(self.lines.compactMap { line, places in places.first.map { (line, $0) } })
    }

    /// Whose turn it is: the oldest first. When one is not served the others of his line are passed over, because they
    /// could not be served either.
    package struct Turns {
        private struct Turn: Comparable {
            var line: Line
            var place: Place

            static func < (one: Self, other: Self) -> Bool { one.place.number < other.place.number }
            static func == (one: Self, other: Self) -> Bool { one.place == other.place }
        }

        private var heap: Heap<Turn>

        fileprivate init(_ firsts: [(Line, Place)]) { self.heap = Heap(firsts.map { Turn(line: $0.0, place: $0.1) }) }

        /// The next one; nil when all lines have been passed.
        package mutating func next() -> (line: Line, member: Member)? {
            self.heap.popMin().map { ($0.line, $0.place.member) }
        }

        /// One of a line was served: it is the turn of the one behind him, too.
        package mutating func goOn(with line: Line, of queue: PlacementQueue) {
            guard let place = queue.first(of: line) else { return }
            self.heap.insert(Turn(line: line, place: place))
        }
    }
}
