import Distributed
import FoundationEssentials
import MeshCore
import Synchronization

/// Calls whose answer is held back when they have run: because their caller may ask again, or because what they have
/// changed must be stored first.
extension HostedActor {
    /// Runs a call, stores what it has changed, remembers its answer, and sends it.
    func runHoldingAnswer(
        of call: InboundCall, on actor: any DistributedActor, _ scratch: RunnerScratch, _ scope: MeshScope
    ) async {
        let slot = AnswerSlot()
        await MeshScope.$current.withValue(scope) {
            await self.invoke(call.answering(into: slot), on: actor, scratch)
        }
        // A one-way message has no answer.
        guard let keeper else {
            if let answer = slot.take() { self.conclude(call, with: answer) }
            return
        }
        await self.store(after: call, slot.take(), with: keeper)
    }

    /// Remembers the answer of a call, if it may be sent again, and sends it.
    ///
    /// - Parameter stored: the answer as it is stored with the state of a persistent actor.
    func conclude(_ call: InboundCall, with answer: CallAnswer, stored: Data = Data()) {
        self.mesh.send(answer, to: self.mailbox.withLock { $0.conclude(call, with: answer, stored: stored) })
    }

    /// Answers a call that will not run with the mesh's own error.
    func conclude(_ call: InboundCall, with error: MeshError) {
        guard call.mayComeAgain else { return self.mesh.reply(to: call, with: error) }
        self.conclude(call, with: .failure(self.mesh.encodeError(error, method: call.target.label)))
    }
}
