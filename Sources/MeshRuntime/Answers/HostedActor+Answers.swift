import Distributed
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
        var answer = slot.take()
        if let keeper { answer = await self.store(after: call, answer, with: keeper) }
        guard let answer else { return }
        self.mesh.send(answer, to: self.mailbox.withLock { $0.conclude(call, with: answer) })
    }

    /// Answers a call that will not run with the mesh's own error.
    func conclude(_ call: InboundCall, with error: MeshError) {
        guard call.answeredBelow != nil else { return self.mesh.reply(to: call, with: error) }
        let answer = CallAnswer.failure(self.mesh.encodeError(error, method: call.target.label))
        self.mesh.send(answer, to: self.mailbox.withLock { $0.conclude(call, with: answer) })
    }
}
