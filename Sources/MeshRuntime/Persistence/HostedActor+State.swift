import Distributed
import Logging
import MeshCore
import Synchronization

/// What a call has changed is stored before its caller gets the answer.
extension HostedActor {
    /// Stores the state, with the answer if the call may be sent again.
    ///
    /// - Returns: the answer; when the state could not be stored, why.
    func store(after call: InboundCall, _ answer: CallAnswer?, with keeper: any StateKeeping) async -> CallAnswer? {
        // One that was killed meanwhile has given up its state; its callers know.
        guard let actor = self.instance else { return answer }
        do throws(MeshError) {
            try await keeper.save(actor) { self.mailbox.withLock { $0.answers(with: answer, of: call) }.saved }
            return answer
        } catch {
            var error = error
            do throws(MeshError) {
                if error.code == .actorDied { throw error }
                try await keeper.goBack(actor)
                error.message += " The actor has gone back to what is stored."
            } catch let final {
                // It would go on with a state that is not the one that is stored.
                error.message = final.message
                error.code = final.code
                self.mesh.endActor(self.id, because: final)
            }
            self.mesh.logger.error(
                "a state could not be saved", metadata: ["mesh.actor.id": "\(self.label)", "error": "\(error)"])
            error.message = "\(call.target.label) of \(self.label): \(error.message)"
            return call.isOneWay ? nil : .failure(self.mesh.encodeError(error, method: call.target.label))
        }
    }

    /// Stores what has changed outside of calls, such as when the actor has cleaned up before its end.
    func storeChanges() async {
        guard let keeper, let actor = self.instance else { return }
        do throws(MeshError) {
            try await keeper.save(actor) { self.mailbox.withLock { $0.answers }.saved }
        } catch {
            self.mesh.logger.error(
                "a state could not be saved", metadata: ["mesh.actor.id": "\(self.label)", "error": "\(error)"])
        }
    }
}
