import FoundationEssentials
import MeshCluster
import MeshCore
import MeshMessagePack
import MeshRuntime

/// Called by libFuzzer with each input: arguments and results of the calls between the parts of a mesh. The first byte
/// says of which type they are.
///
/// Bytes that decode must encode, and come back the same; bytes that do not must give a `DecodingError` and nothing else.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzControl(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: count)
    guard let first = input.first else { return 0 }
    let data = Data(input.dropFirst())
    checks[Int(first) % checks.count](data)
    return 0
}

private let checks: [@Sendable (Data) -> Void] = [
    { check(PeerAddress.self, $0) }, { check(HandleFields.self, $0) }, { check(ActorSpec.self, $0) },
    { check(TaskSpec.self, $0) }, { check(EncodedOutcome.self, $0) }, { check(EncodedError.self, $0) },
    { check(StartOutcome.self, $0) }, { check(WorkerLease.self, $0) }, { check(NodeRegistration.self, $0) },
    { check(HoldChanges.self, $0) }, { check([HostedSpec].self, $0) }, { check([ActorLife].self, $0) },
    { check(MembershipTerms.self, $0) }, { check(WorkerTerms.self, $0) }, { check(EndMode.self, $0) },
    { check(ActorTermination.self, $0) }, { check(ActorTermination.Cause.self, $0) }, { check(ActorLocation.self, $0) },
    { check(StreamRequest.self, $0) }, { check(EncodedBatch.self, $0) }, { check(ActorOptions.self, $0) },
    { check(MeshEvent.self, $0) }, { check([ActorInfo].self, $0) }, { check([NodeInfo].self, $0) },
    { check(KeyIdentity.self, $0) }, { check(WorkerBootstrap.self, $0) }, { check(Registry.Record.self, $0) },
    { check(MeshError.self, $0) }, { check(Supervision.Decision.self, $0) }, { check(Resources.self, $0) },
    { check(ActorQuery.self, $0) }, { check(ActorPage.self, $0) }, { check(ActorDetails.self, $0) },
    { check(MeshOverview.self, $0) }, { check(TaskListing.self, $0) }, { check(MeshStatistics.self, $0) },
    { check([CallInfo].self, $0) }, { check(LogQuery.self, $0) }, { check(LogPage.self, $0) },
    { check(LogReceipt.self, $0) }, checkLogs, checkRing, { check(ObjectPiece.self, $0) },
    { check(ObjectUsage.self, $0) }, { check(StoredObject.self, $0) }, { check(NodeStatistics.self, $0) },
    { check(ProcessStatistics.self, $0) }, { check(LatencyHistogram.self, $0) }, { check(ProcessEnd.self, $0) },
    { check(EndedActorPage.self, $0) }, { check([RunningTask].self, $0) }, { check(PlacementGroup.self, $0) },
    { check(PlacementGroupSpec.self, $0) }, { check(PlacementStrategy.self, $0) }, { check([HostedLease].self, $0) },
    { check(PoolStatus.self, $0) }, { check(SpawnOutcome.self, $0) }, { check(GrantedHandle.self, $0) },
    { check(LogRecord.self, $0) }, { check(LogSummary.self, $0) }, { check(LogNames.self, $0) },
    { check(EncodedValue.self, $0) }, { check(RemoteCallError.self, $0) }, { check(StateKey.self, $0) },
    { check(LogUsage.self, $0) },
]

/// What a worker writes into the memory that it shares with its node: its code may be anybody's.
private func checkRing(_ data: Data) {
    data.withUnsafeBytes { bytes in
        do {
            var reader = WireReader(bytes)
            _ = try LogSketch(reading: &reader)
        } catch is WireError {
        } catch {
            fatalError("reading a record threw \(error), which is not a WireError")
        }
        do {
            _ = try TaskBeginning(reading: bytes)
        } catch is WireError {
        } catch {
            fatalError("reading the beginning of a task threw \(error), which is not a WireError")
        }
    }
}

/// Log records travel and lie on disks as bytes of their own.
private func checkLogs(_ data: Data) {
    do {
        let batch = try LogBatch(reading: data)
        guard try LogBatch(reading: batch.bytes) == batch else {
            fatalError("a batch of logs did not come back as it was")
        }
        let records = try batch.records()
        guard records.count == batch.count else { fatalError("\(records.count) records of \(batch.count)") }
    } catch is WireError {
        return
    } catch {
        fatalError("reading logs threw \(error), which is not a WireError")
    }
}

private func check<Value: Codable>(_ type: Value.Type, _ data: Data) {
    let value: Value
    do {
        value = try MessagePackDecoder().decode(type, from: data)
    } catch is DecodingError {
        return
    } catch {
        fatalError("decoding \(type) threw \(error), which is not a DecodingError")
    }
    do {
        let bytes = try MessagePackEncoder().encode(value)
        let again = try MessagePackDecoder().decode(type, from: bytes)
        guard try MessagePackEncoder().encode(again).count == bytes.count else {
            fatalError("\(type) did not come back as it was: \(Array(data))")
        }
    } catch {
        fatalError("\(type) was decoded but did not survive encoding: \(error) for \(Array(data))")
    }
}
