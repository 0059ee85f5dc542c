import ActorMesh
import FoundationEssentials
import Logging
import MeshCluster
import MeshCore

extension Workload {
    /// Logging, following and searching.
    static var logs: [Workload] {
        [
            Workload("log.record", .microseconds, .atMost(2)) { try await records($0) },
            Workload("log.record.storm", .microseconds) { try await storms($0) },
            Workload("log.follow", .perSecond, .atLeast(20_000)) { try await following($0) },
            Workload("log.search", .milliseconds, .atMost(1000)) { try await searches($0) },
        ]
    }
}

/// Logs, as fast as it can.
distributed actor BenchLogger: RemoteActor {
    /// Logs so many records. Returns how long each took, in microseconds.
    distributed func log(_ count: Int) -> Double {
        let logger = Logger(label: "bench")
        let start = now()
        for number in 0..<count { logger.info("a line of a log as programs write them", metadata: ["n": "\(number)"]) }
        return seconds(since: start) * 1_000_000 / Double(count)
    }
}

private var quietMesh: MeshConfiguration {
    var configuration = MeshConfiguration()
    configuration.workerOutput = WorkerOutputStyle.none
    return configuration
}

/// What a record costs the one who logs it, in bursts that the ring takes.
@concurrent private func records(_ options: BenchOptions) async throws -> [Workload.Sample] {
    try await withMesh(quietMesh) { mesh in
        try await onMesh {
            let actor = try await mesh.spawn(BenchLogger.self)
            return try await options.alternate { time in
                var times: [Double] = []
                let end = deadline(in: time)
                while now() < end {
                    times.append(try await actor.log(300))
                    // The node takes them meanwhile, as it does in a program that does something else too.
                    try await Task.sleep(for: .milliseconds(2))
                }
                return percentile(times.sorted(), 0.5)
            }
        }
    }
}

/// What a record costs one who does nothing but log: as long as his node takes for it on the way to the collector, for
/// which he waits.
@concurrent private func storms(_ options: BenchOptions) async throws -> [Workload.Sample] {
    try await withMesh(quietMesh) { mesh in
        try await onMesh {
            let actor = try await mesh.spawn(BenchLogger.self)
            let count = options.isQuick ? 10_000 : 50_000
            return try await options.alternate { _ in try await actor.log(count) }
        }
    }
}

/// Records in a second from two actors that log as fast as they can, by way of node and collector to a reader.
@concurrent private func following(_ options: BenchOptions) async throws -> [Workload.Sample] {
    try await withMesh(quietMesh) { mesh in
        try await onMesh {
            let one = try await mesh.spawn(BenchLogger.self)
            let other = try await mesh.spawn(BenchLogger.self)
            try await settle()
            let count = options.isQuick ? 10_000 : 50_000
            return try await (0..<options.runs).asyncMap { _ in
                let tail = try await mesh.logs(LogQuery(limit: 0), follow: true)
                let start = now()
                let pending = [
                    try await mesh.submit { try await one.log(count) },
                    try await mesh.submit { try await other.log(count) },
                ]
                var seen = 0
                for try await record in tail where record.kind == .log {
                    seen += 1
                    if seen == 2 * count { break }
                }
                for result in pending { _ = try await result.value }
                return Workload.Sample(value: Double(seen) / seconds(since: start))
            }
        }
    }
}

/// How long it takes to find what an actor said in a minute, in a gigabyte of what a hundred actors said in a day; a
/// sixteenth of that, and of the day, when it is to be quick.
@concurrent private func searches(_ options: BenchOptions) async throws -> [Workload.Sample] {
    let folder = "\(FileManager.default.temporaryDirectory.path)/mesh-bench-logs-\(UInt64.random(in: 0...UInt64.max))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let span = options.isQuick ? 86_400 / 16 : 86_400
    try fill(folder, size: options.isQuick ? 64 << 20 : 1 << 30, seconds: span)
    var configuration = quietMesh
    configuration.logs = LogSettings(directory: folder, size: .bytes(4 << 30), age: .seconds(100 * 365 * 86_400))
    return try await withMesh(configuration) { mesh in
        try await onMesh {
            try await (0..<options.runs).asyncMap { run in
                let from = Date(timeIntervalSince1970: Double(span / 2 + 60 * run))
                let query = LogQuery(actor: "actor-\(run + 17)", since: from, until: from + 60)
                let start = now()
                var count = 0
                for try await _ in try await mesh.logs(query) { count += 1 }
                guard count > 0 else { throw BenchError("nothing was found") }
                return Workload.Sample(value: seconds(since: start) * 1000)
            }
        }
    }
}

private func fill(_ folder: String, size: Int, seconds span: Int) throws {
    var store = try LogStore(directory: folder, limits: LogStore.Limits(size: 4 << 30, age: .max))
    let actors = (0..<100).map { number in
        LogRecord.Actor(typeName: "Bench.Worker", name: "actor-\(number)", id: .make(), incarnation: 1)
    }
    let sources = actors.map { _ in UniqueID.make() }
    let spool = UniqueID.make()
    let text = String(repeating: "what a program has to say of what it does ", count: 3)
    var sequences = [UInt64](repeating: 1, count: actors.count)
    var number: UInt64 = 1
    while store.size < size {
        let index = Int(number % UInt64(actors.count))
        let time = UInt64(Double(span) * Double(store.size) / Double(size) * 1e9)
        // All the same: what takes its time here is not what is measured.
        let record = WireBuffer()
        LogContent(kind: .log, level: .info, time: time, text: text, actor: actors[index]).write(to: record)
        var run = LogRun()
        for _ in 0..<20 { run.add(encoded: record.bytes) }
        let batch = LogBatch(
            number: number, source: sources[index], node: "bench", processID: 1, firstSequence: sequences[index],
            count: run.count, contents: run.contents)
        try store.append(batch.bytes, from: spool)
        sequences[index] += UInt64(run.count)
        number += 1
    }
}
