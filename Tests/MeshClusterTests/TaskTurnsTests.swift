import MeshCluster
import MeshCore
import Testing

@Suite("Turns of nodes")
struct TaskTurnsTests {
    private let nodes = (1...3).map { PeerID($0) }

    @Test("each node has its turn before one has its second")
    func inTurn() {
        var turns = TaskTurns()
        for _ in 0..<4 {
            var seen: Set<PeerID?> = []
            for _ in self.nodes {
                let node = turns.begin(among: self.nodes)
                if let node { turns.end(at: node) }
                seen.insert(node)
            }
            #expect(seen == Set(self.nodes))
        }
    }

    @Test("where somebody waits nobody is sent while another node has nobody waiting, and a new one is next")
    func waiting() throws {
        var turns = TaskTurns()
        let sent = turns.begin(among: self.nodes)
        let full = try #require(sent)
        for _ in 0..<10 {
            let next = turns.begin(among: self.nodes)
            let node = try #require(next)
            #expect(node != full)
            turns.end(at: node)
        }
        for node in self.nodes where node != full {
            let only = turns.begin(among: [node])
            #expect(only == node)
        }
        let next = turns.begin(among: self.nodes + [PeerID(4)])
        #expect(next == PeerID(4))
    }

    @Test("a node that went and came back begins anew; without nodes it is nobody's turn")
    func leaving() {
        var turns = TaskTurns()
        let first = turns.begin(among: self.nodes.prefix(1))
        turns.forget(self.nodes[0])
        turns.end(at: self.nodes[0])
        let second = turns.begin(among: [self.nodes[1]])
        let third = turns.begin(among: self.nodes.prefix(2))
        let nobody = turns.begin(among: [])
        #expect([first, second, third, nobody] == [self.nodes[0], self.nodes[1], self.nodes[0], nil])
    }

    @Test("who waited at a node before it went does not count as gone from it twice when it is back")
    func lateEnd() {
        var turns = TaskTurns()
        let before = turns.begin(among: self.nodes.prefix(1))
        turns.forget(self.nodes[0])
        let again = turns.begin(among: self.nodes.prefix(1))
        #expect(before == again)
        turns.end(at: self.nodes[0])
        let other = turns.begin(among: [self.nodes[1]])
        turns.end(at: self.nodes[1])
        // One still waits at the first, whose turn was longer ago.
        let next = turns.begin(among: self.nodes.prefix(2))
        #expect([other, next] == [self.nodes[1], self.nodes[1]])
    }
}
