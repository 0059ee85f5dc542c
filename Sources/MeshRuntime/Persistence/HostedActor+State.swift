import Distributed
import FoundationEssentials
import Logging
import MeshCore
import Synchronization

/// What a call has changed is stored before its caller gets the answer.
extension HostedActor {
    /// Stores the state, with the answer if the call may be sent again, and answers; when the state could not be stored,
    /// with why.
    ///
    /// - Parameter answer: nil for a one-way message.
    func store(after call: InboundCall, _ answer: CallAnswer?, with keeper: any StateKeeping) async {
        // One that was killed meanwhile has given up its state; its callers know.
        guard let actor = self.instance else { return }
        let stored = call.mayComeAgain ? answer.map { self.stored($0, of: call) } ?? Data() : Data()
        do throws(MeshError) {
            try await keeper.save(actor) { self.mailbox.withLock { $0.stored(adding: stored, of: call) } }
            if let answer { self.conclude(call, with: answer, stored: stored) }
        } catch {
            await self.undo(call, after: error, on: actor, with: keeper)
        }
    }

    private func stored(_ answer: CallAnswer, of call: InboundCall) -> Data {
        // It was decoded from bytes or made of them; no part of it can fail to be encoded.
        (try? self.mesh.encode(StoredAnswer(sequence: call.sequence, answer: answer)).data) ?? Data()
    }

    /// Puts the actor back to what is stored, or ends it.
    private func undo(
        _ call: InboundCall, after failure: MeshError, on actor: any DistributedActor, with keeper: any StateKeeping
    ) async {
        var error = failure
        // Another has taken the state over.
        var isLost = failure.code == .actorDied
        if !isLost {
            do throws(MeshError) {
                try await keeper.goBack(actor)
                error.message += ". The actor has gone back to what is stored."
            } catch let final {
                // It must not go on with a state that is not the one that is stored.
                error = final
                isLost = true
            }
        }
        self.mesh.logger.error(
            "a state could not be saved", metadata: ["mesh.actor.id": "\(self.label)", "error": "\(error)"])
        error.message = "\(call.target.label) of \(self.label): \(error.message)"
        if isLost { self.giveUp(call, with: error) } else { self.conclude(call, with: error) }
    }

    /// Ends the actor, which has lost its state, and will not be started again.
    private func giveUp(_ call: InboundCall, with error: MeshError) {
        if call.mayComeAgain {
            // It has left no trace, so it may as well run in the life that has the state now.
            let asker = self.mailbox.withLock { $0.asker(of: call) }
            self.mesh.refuse(asker, of: self.id, self.incarnation, with: error)
        }
        self.mesh.endActor(self.id, because: error)
        self.mesh.onActorExit.withLock { $0 }?(self.id, self.incarnation)
    }

    /// Stores what has changed outside of calls, such as when the actor has cleaned up before its end.
    func storeChanges() async {
        guard let keeper, let actor = self.instance else { return }
        do throws(MeshError) {
            try await keeper.save(actor) { self.mailbox.withLock { StoredAnswers($0.answers) } }
        } catch {
            self.mesh.logger.error(
                "a state could not be saved", metadata: ["mesh.actor.id": "\(self.label)", "error": "\(error)"])
        }
    }
}
