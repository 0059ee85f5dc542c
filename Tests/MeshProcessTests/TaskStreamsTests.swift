import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes {
    /// Tasks that result in a stream: they have their worker as long as somebody reads it.
    @Suite struct TaskStreams {
        /// A mesh whose node can give one task at a time what these ask for.
        private func withOneTape(_ body: @Sendable (Mesh, TaskOptions) async throws -> Void) async throws {
            let cluster = try await Cluster(resources: ["--resource", "tape=1"])
            try await cluster.drive { mesh in
                try await body(mesh, TaskOptions(resources: Resources(custom: ["tape": 1])))
            }
        }

        @Test("all elements arrive though the task has ended, and its worker and resources are its own until then")
        func complete() async throws {
            try await self.withOneTape { mesh, options in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let film = try await mesh.submit(
                    Film(length: 2000, bufferingLimit: 64, witness: witness), options: options)
                let stream = try await film.value
                let other = try await mesh.submit(Whereabouts(), options: options)
                var numbers: [Int] = []
                for try await frame in stream {
                    numbers.append(frame.number)
                    if numbers.count == 1000 {
                        // The reader is far from the end, and so is the task.
                        #expect(try await mesh.wait([other], timeout: .milliseconds(300)).pending == [other])
                    }
                }
                #expect(numbers == Array(0..<2000))
                // Though the stream is still referred to.
                _ = try await other.value
                withExtendedLifetime((film, stream)) {}
            }
        }

        @Test("the writer waits for its reader")
        func backPressure() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let film = try await mesh.submit(Film(length: 300, bufferingLimit: 16, witness: witness))
                var taken = 0
                for try await frame in try await film.value {
                    #expect(frame.number == taken)
                    taken += 1
                    if taken == 1 { try await witness.wait(for: "sent", count: 16) }
                    #expect(try await witness.count(of: "sent") <= taken + 16)
                }
                #expect(taken == 300)
            }
        }

        @Test("the stream's own error arrives behind its elements, as itself")
        func failure() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let film = try await mesh.submit(Film(length: 3, fails: true, witness: witness))
                var numbers: [Int] = []
                await #expect(throws: Film.Torn.self) {
                    for try await frame in try await film.value { numbers.append(frame.number) }
                }
                #expect(numbers == [0, 1, 2])
            }
        }

        @Test("a worker that dies ends the stream with actorDied, and its place is free")
        func death() async throws {
            try await self.withOneTape { mesh, options in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let film = try await mesh.submit(
                    Film(length: 1_000_000, bufferingLimit: 4, witness: witness), options: options)
                var last = -1
                let error = await #expect(throws: MeshError.self) {
                    for try await frame in try await film.value {
                        #expect(frame.number == last + 1)
                        last = frame.number
                        if last == 10 { kill(frame.process, SIGKILL) }
                    }
                }
                #expect(error?.code == .actorDied)
                #expect(last >= 10)
                _ = try await mesh.submit(Whereabouts(), options: options).value
            }
        }

        @Test(
            "a cancelled reference ends the stream: the reader gets cancelled, and the writer is told", arguments: 0..<2
        )
        func cancelled(way: Int) async throws {
            try await self.withOneTape { mesh, options in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let film = try await mesh.submit(
                    Film(length: 1_000_000, bufferingLimit: 4, witness: witness), options: options)
                let error: MeshError?
                if way == 0 {
                    error = await #expect(throws: MeshError.self) {
                        for try await frame in try await film.value where frame.number == 10 { mesh.cancel(film) }
                    }
                } else {
                    // One that is read elsewhere.
                    let viewer = try await mesh.spawn(Viewer.self)
                    let numbers = try await mesh.submit { try await viewer.watch(film) }
                    try await witness.wait(for: "sent", count: 20)
                    mesh.cancel(film)
                    error = await #expect(throws: MeshError.self) { try await numbers.value }
                }
                #expect(error?.code == .cancelled)
                try await witness.wait(for: "cancelled", count: 1)
                _ = try await mesh.submit(Whereabouts(), options: options).value
            }
        }

        @Test("a reader that goes ends the task: it lets go, or its process dies", arguments: [true, false])
        func unread(dies: Bool) async throws {
            try await self.withOneTape { mesh, options in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let film = Film(length: 1_000_000, bufferingLimit: 4, witness: witness)
                if dies {
                    let viewer = try await mesh.spawn(Viewer.self)
                    let ref = try await mesh.submit(film, options: options)
                    #expect(try await viewer.glance(ref) == 0)
                    try await mesh.kill(viewer)
                    try await witness.wait(for: "actorDied", count: 1)
                } else {
                    do {
                        for try await frame in try await mesh.submit(film, options: options).value
                        where frame.number == 10 { break }
                    }
                    try await witness.wait(for: "cancelled", count: 1)
                }
                _ = try await mesh.submit(Whereabouts(), options: options).value
            }
        }

        @Test("a writer whose reader has gone has its worker until it has cleared away", arguments: [false, true])
        func clears(isCancelled: Bool) async throws {
            try await self.withOneTape { mesh, options in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let film = Film(length: 1_000_000, bufferingLimit: 4, clears: true, witness: witness)
                do {
                    let ref = try await mesh.submit(film, options: options)
                    for try await frame in try await ref.value where frame.number == 10 { break }
                    if isCancelled { mesh.cancel(ref) }
                }
                try await witness.wait(for: "cancelled", count: 1)
                let other = try await mesh.submit(Whereabouts(), options: options)
                let pending = try await mesh.wait([other], timeout: .milliseconds(300)).pending
                #expect(pending == [other])
                try await witness.reach("go")
                _ = try await other.value
                let log = try await witness.log()
                #expect(log.last == "cleared")
            }
        }

        @Test("a stream is read where its reference came to")
        func passedOn() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let viewer = try await mesh.spawn(Viewer.self)
                let film = try await mesh.submit(Film(length: 100, bufferingLimit: 8, witness: witness))
                #expect(try await viewer.watch(film) == Array(0..<100))
            }
        }
    }
}
