import MeshCore
import Testing

@testable import MeshCluster

@Suite("When no worker can be had")
struct TaskSchedulerTests {
    @Test("what died or is away is asked for again; what never was is refused, but not what was there before")
    func mayPass() {
        for code in [MeshError.Code.actorDied, .actorUnavailable, .brokerUnavailable] {
            for hadWorkers in [true, false] {
                #expect(TaskScheduler.mayPass(MeshError(code, ""), hadWorkers: hadWorkers))
            }
        }
        for code in [MeshError.Code.typeNotFound, .insufficientResources, .systemFailure] {
            #expect(TaskScheduler.mayPass(MeshError(code, ""), hadWorkers: true))
            #expect(!TaskScheduler.mayPass(MeshError(code, ""), hadWorkers: false))
        }
        #expect(!TaskScheduler.mayPass(MeshError(.shutDown, ""), hadWorkers: true))
        #expect(!TaskScheduler.mayPass(CancellationError(), hadWorkers: true))
    }
}
