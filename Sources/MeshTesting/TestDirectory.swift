package import MeshCore
package import MeshRuntime
import Synchronization

/// A directory that knows what a test tells it. Whoever asks for an actor waits until the test has said where it is.
package final class TestDirectory: MeshDirectory {
    private enum Answer {
        case there(ActorLocation)
        case ended(MeshError)
    }

    /// One question that was asked.
    package struct Question: Hashable, Sendable {
        package var actor: UniqueID
        package var incarnation: UInt64
        package var hasEnded: Bool
    }

    private struct State {
        var answers: [UniqueID: Answer] = [:]
        var questions: [Question] = []
        var cancelled = 0
    }

    private let state = Mutex(State())
    private let news = Checkpoints()

    package init() {}

    /// Every question so far.
    package var questions: [Question] { self.state.withLock { $0.questions } }

    /// Returns when so many questions have been asked in all.
    package func wait(forQuestions count: Int) async throws { try await self.news.wait(for: "question", count: count) }

    /// Returns when so many askers have given up.
    package func wait(forCancellations count: Int) async throws {
        try await self.news.wait(for: "cancelled", count: count)
    }

    /// Says where an actor is.
    package func set(_ actor: UniqueID, at location: ActorLocation) {
        self.state.withLock { $0.answers[actor] = .there(location) }
        self.news.reach("answer \(actor)")
    }

    /// Says that an actor has ended for good.
    package func end(_ actor: UniqueID, because error: MeshError) {
        self.state.withLock { $0.answers[actor] = .ended(error) }
        self.news.reach("answer \(actor)")
    }

    package func locate(
        _ actor: UniqueID, after incarnation: UInt64, hasEnded: Bool
    ) async throws(MeshError) -> ActorLocation {
        self.state.withLock {
            $0.questions.append(Question(actor: actor, incarnation: incarnation, hasEnded: hasEnded))
        }
        self.news.reach("question")
        while true {
            let seen = self.news.count(of: "answer \(actor)")
            switch self.state.withLock({ $0.answers[actor] }) {
            case .ended(let error): throw error
            case .there(let location)
            where location.incarnation > incarnation || location.incarnation == incarnation && !hasEnded:
                return location
            default: break
            }
            do {
                try await self.news.wait(for: "answer \(actor)", count: seen + 1)
            } catch {
                self.news.reach("cancelled")
                throw MeshError(.cancelled, "Nobody wants to know any more.")
            }
        }
    }

    package func report(_ changes: HoldChanges) async throws(MeshError) -> [EndedActor] { [] }
}
