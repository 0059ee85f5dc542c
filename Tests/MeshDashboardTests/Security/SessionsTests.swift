import Testing

@testable import MeshDashboard

@Suite("Sessions")
struct SessionsTests {
    private let start = ContinuousClock.now

    @Test("signing in gives a new ID and a new token, and the old ones are worth nothing")
    func fixation() {
        let sessions = Sessions()
        let before = sessions.begin()
        let after = sessions.begin(isSignedIn: true, after: before)
        #expect(after.id != before.id && after.token != before.token)
        #expect(sessions.find(before.id) == nil)
        #expect(sessions.find(after.id)?.isSignedIn == true)
        sessions.end(after)
        #expect(sessions.find(after.id) == nil)
    }

    @Test("a session that is not used ends, and one that is used goes on")
    func lifetime() {
        let sessions = Sessions(lifetime: .seconds(10))
        let session = sessions.begin(at: self.start)
        #expect(sessions.find(session.id, at: self.start + .seconds(9)) != nil)
        #expect(sessions.find(session.id, at: self.start + .seconds(18)) != nil)
        #expect(sessions.find(session.id, at: self.start + .seconds(28)) == nil)
        #expect(sessions.count == 0)
    }

    @Test("however often the form is opened, who has signed in stays so, and there is no end of memory")
    func limit() {
        let sessions = Sessions(limit: 8)
        let signedIn = sessions.begin(isSignedIn: true, at: self.start)
        for second in 1..<100 { _ = sessions.begin(at: self.start + .seconds(second)) }
        #expect(sessions.count == 8)
        #expect(sessions.find(signedIn.id, at: self.start + .seconds(100)) != nil)
    }

    @Test("secrets are long, and no two are the same")
    func secrets() {
        let all = (0..<1000).map { _ in Secrets.random() }
        #expect(Set(all).count == all.count)
        #expect(all.allSatisfy { $0.utf8.count == 32 })
        #expect(Secrets.areEqual("abc", "abc"))
        #expect(!Secrets.areEqual("abc", "abd"))
        #expect(!Secrets.areEqual("abc", "ab"))
    }
}
