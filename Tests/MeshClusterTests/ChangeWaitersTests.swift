import MeshCore
import Testing

@testable import MeshCluster

/// The actor whose state is looked at may change it between looking and waiting.
@Suite struct ChangeWaitersTests {
    private let actor = UniqueID.make()

    @Test func aChangeBetweenLookingAndWaitingEndsTheWait() async {
        let waiters = ChangeWaiters()
        let changes = waiters.changes
        waiters.wake(self.actor)
        await waiters.wait(for: self.actor, since: changes)
    }

    @Test func aLaterChangeEndsTheWait() async {
        let waiters = ChangeWaiters()
        let changes = waiters.changes
        let waiting = Task { await waiters.wait(for: self.actor, since: changes) }
        while waiters.count == 0 { await Task.yield() }
        waiters.wake(.make())
        #expect(waiters.count == 1)
        waiters.wake(self.actor)
        await waiting.value
        #expect(waiters.count == 0)
    }

    @Test func whoeverIsCancelledWaitsNoMore() async {
        let waiters = ChangeWaiters()
        let waiting = Task { await waiters.wait(for: self.actor, since: waiters.changes) }
        while waiters.count == 0 { await Task.yield() }
        waiting.cancel()
        await waiting.value
        #expect(waiters.count == 0)
    }
}
