import MeshCore
import MeshTransportInProcess
import Testing

@testable import MeshRuntime

@Suite("Results of a pool that nobody has taken yet (FIELD 2.7)")
struct PoolResultsTests {
    @Test("each is taken once, the first that was submitted or the first that came, also after it was put back")
    func schedules() {
        for seed in 0..<200 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var results = PoolResults()
            var works: [UInt64: PoolWork] = [:]
            /// What is there, in the order of submission, and what came, in the order in which it did.
            var submitted: [UInt64] = []
            var came: [UInt64] = []
            for _ in 0..<300 {
                switch Int.random(in: 0..<6, using: &random) {
                case 0, 1:
                    let work = PoolWork(UniqueID.make())
                    let index = results.add(work)
                    works[index] = work
                    submitted.append(index)
                case 2, 3:
                    guard let index = submitted.filter({ works[$0]?.isComplete == false }).randomElement(using: &random)
                    else { continue }
                    works[index]?.complete(.success(Int(index)))
                    results.completed(index)
                    came.append(index)
                case 4:
                    let taken = results.takeFirst()
                    #expect(taken?.index == submitted.first, "seed \(seed)")
                    guard let taken else { continue }
                    if Bool.random(using: &random) {
                        results.putBack(taken)
                        // It is the first now, whenever it came.
                        if taken.work.isComplete {
                            came.removeAll { $0 == taken.index }
                            came.insert(taken.index, at: 0)
                        }
                    } else {
                        submitted.removeFirst()
                        came.removeAll { $0 == taken.index }
                    }
                default:
                    let taken = results.takeComplete()
                    #expect(taken?.index == came.first, "seed \(seed)")
                    guard let taken else { continue }
                    came.removeFirst()
                    submitted.removeAll { $0 == taken.index }
                }
                #expect(results.isEmpty == submitted.isEmpty, "seed \(seed)")
            }
        }
    }

    @Test("a result of another type is not taken")
    func mistyped() throws {
        let work = PoolWork(UniqueID.make())
        work.complete(.success("text"))
        let error = #expect(throws: MeshError.self) { try work.read(as: Int.self) }
        #expect(error?.code == .invalidArgument)
        #expect(try work.read(as: String.self).get() == "text")
    }
}
