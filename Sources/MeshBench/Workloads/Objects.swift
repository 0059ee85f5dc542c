import ActorMesh
import CMeshPlatform
import FoundationEssentials
import Glibc

extension Workload {
    /// Values that are shared by reference.
    static var objects: [Workload] {
        [
            Workload("put.100MB", .milliseconds, .ratioAtMost(1.1)) { try await puts($0) },
            Workload("get.100MB", .milliseconds, .atMost(1)) { try await gets($0, touching: false) },
            Workload("get.100MB.touched", .milliseconds) { try await gets($0, touching: true) },
            Workload("put.1KB", .perSecond, .atLeast(500_000)) { options in
                try await withMesh { mesh in
                    let data = Data(repeating: 7, count: 1024)
                    return try await onMesh {
                        try await options.alternate { time in
                            try await rate(for: time) { _ = try await mesh.put(data) }
                        }
                    }
                }
            },
            Workload("get.1KB", .perSecond, .atLeast(1_000_000)) { options in
                try await withMesh { mesh in
                    try await onMesh {
                        let ref = try await mesh.put(Data(repeating: 7, count: 1024))
                        return try await options.alternate { time in
                            try await rate(for: time) { _ = try await mesh.get(ref) }
                        }
                    }
                }
            },
        ]
    }
}

private let largeSize = 100_000_000

/// How often something can be done in a second.
@concurrent private func rate(
    for time: Double, _ body: @Sendable @concurrent () async throws -> Void
) async throws -> Double {
    let start = now()
    let end = deadline(in: time)
    var count = 0
    while now() < end {
        for _ in 0..<100 { try await body() }
        count += 100
    }
    return Double(count) / seconds(since: start)
}

/// Puts a large value, beside a copy of as many bytes into new shared memory.
@concurrent private func puts(_ options: BenchOptions) async throws -> [Workload.Sample] {
    let data = Data(repeating: 7, count: largeSize)
    return try await withMesh { mesh in
        try await onMesh {
            try await (0...options.runs).asyncMap { _ in
                let start = now()
                let ref = try await mesh.put(data)
                let time = seconds(since: start) * 1000
                withExtendedLifetime(ref) {}
                return Workload.Sample(value: time, baseline: try copy(data))
            }.dropFirst().map { $0 }
        }
    }
}

/// How long `memcpy` into new shared memory takes, in milliseconds.
private func copy(_ data: Data) throws -> Double {
    let start = now()
    let file = cmesh_memory_file("actormesh-bench")
    defer { close(file) }
    guard file >= 0, ftruncate(file, data.count) == 0,
        let base = mmap(nil, data.count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0),
        base != UnsafeMutableRawPointer(bitPattern: -1)
    else { throw BenchError("shared memory cannot be had") }
    data.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: base, count: $0.count).copyMemory(from: $0) }
    let time = seconds(since: start) * 1000
    munmap(base, data.count)
    return time
}

/// Gets a large value in another process, which has not seen it before.
@concurrent private func gets(_ options: BenchOptions, touching: Bool) async throws -> [Workload.Sample] {
    let data = Data(repeating: 7, count: largeSize)
    return try await withMesh { mesh in
        try await onMesh {
            let actor = try await mesh.spawn(BenchActor.self)
            return try await (0...options.runs).asyncMap { _ in
                let ref = try await mesh.put(data)
                return Workload.Sample(value: try await actor.get(ref, touching: touching))
            }.dropFirst().map { $0 }
        }
    }
}
