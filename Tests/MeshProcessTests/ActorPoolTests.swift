import ActorMesh
import MeshFixtures
import Testing

extension Processes {
    /// S3, S4 and FIELD 2.7: actors that share work.
    @Suite struct Pools {
        @Test("a pool of six does twelve pieces of work, and gives their results in the order of submission")
        func inOrder() async throws {
            try await withFixtures { mesh in
                let pool = try await ActorPool(count: 6) { try await mesh.spawn(Porter.self) }
                #expect(pool.hasFree && !pool.hasNext)
                for number in 0..<12 { pool.submit(number) { try await $0.carry($1) } }
                var results: [Int] = []
                while pool.hasNext { results.append(try await pool.next()) }
                #expect(results == Array(0..<12))
                #expect(pool.hasFree)
            }
        }

        @Test("results that were taken out of order are not lost, nor given twice")
        func mixed() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let pool = ActorPool([try await mesh.spawn(Porter.self), try await mesh.spawn(Porter.self)])
                pool.submit { try await $0.wait(for: "first", at: witness, then: 1) }
                pool.submit { try await $0.carry(2) }
                #expect(try await pool.nextUnordered(as: Int.self) == 2)
                let error = await #expect(throws: MeshError.self) {
                    try await pool.next(as: Int.self, timeout: .milliseconds(50))
                }
                #expect(error?.code == .deadlineExceeded)
                // Its member is not free because somebody did not want to wait for it.
                pool.submit { try await $0.carry(3) }
                #expect(try await pool.nextUnordered(as: Int.self) == 3)
                try await witness.reach("first")
                #expect(try await pool.next(as: Int.self) == 1)
                #expect(!pool.hasNext)
                let nothing = await #expect(throws: MeshError.self) { try await pool.next(as: Int.self) }
                #expect(nothing?.code == .invalidArgument)
            }
        }

        @Test("what a member throws is the result, and the member goes on")
        func errors() async throws {
            try await withFixtures { mesh in
                let pool = ActorPool([try await mesh.spawn(Porter.self)])
                pool.submit { try await $0.drop() }
                pool.submit { try await $0.carry(1) }
                await #expect(throws: Porter.Dropped.self) { try await pool.next(as: Int.self) }
                #expect(try await pool.next(as: Int.self) == 1)
            }
        }

        @Test("a member that dies fails its work once, and the pool goes on without it")
        func deaths() async throws {
            try await withFixtures { mesh in
                let pool = ActorPool([try await mesh.spawn(Porter.self), try await mesh.spawn(Porter.self)])
                pool.submit { try await $0.die() }
                let error = await #expect(throws: MeshError.self) { try await pool.next(as: Int.self) }
                #expect(error?.code == .actorDied)
                #expect(pool.count == 1)
                for number in 0..<4 { pool.submit(number) { try await $0.carry($1) } }
                for number in 0..<4 { #expect(try await pool.next(as: Int.self) == number) }
                // With the last one goes what waits for it.
                pool.submit { try await $0.die() }
                pool.submit { try await $0.carry(1) }
                for _ in 0..<2 {
                    let error = await #expect(throws: MeshError.self) { try await pool.next(as: Int.self) }
                    #expect(error?.code == .actorDied)
                }
                pool.submit { try await $0.carry(5) }
                #expect(!pool.hasNext)
                try pool.push(try await mesh.spawn(Porter.self))
                #expect(try await pool.next(as: Int.self) == 5)
            }
        }

        @Test("a pool that was told how makes another member in the place of one that died")
        func replaces() async throws {
            try await withFixtures { mesh in
                let pool = try await ActorPool(count: 1) { try await mesh.spawn(Porter.self) }
                pool.submit { try await $0.die() }
                await #expect(throws: MeshError.self) { try await pool.next(as: Int.self) }
                pool.submit { try await $0.carry(7) }
                #expect(try await pool.next(as: Int.self) == 7)
            }
        }

        @Test("members come and go")
        func resized() async throws {
            try await withFixtures { mesh in
                let porter = try await mesh.spawn(Porter.self)
                let pool = ActorPool([porter])
                #expect(throws: MeshError.self) { try pool.push(porter) }
                #expect(try pool.popIdle() == porter)
                #expect(try pool.popIdle() == nil)
                pool.submit { try await $0.carry(1) }
                #expect(!pool.hasNext && !pool.hasFree)
                try pool.push(porter)
                #expect(try await pool.next(as: Int.self) == 1)
                #expect(try pool.remove(porter))
                #expect(try !pool.remove(porter))
            }
        }

        @Test("map keeps few under way, so that an input without end is no problem")
        func map() async throws {
            try await withFixtures { mesh in
                let pool = ActorPool([try await mesh.spawn(Porter.self), try await mesh.spawn(Porter.self)])
                var results: [Int] = []
                for try await number in pool.map(0..., { try await $0.carry($1) }) {
                    results.append(number)
                    if results.count == 20 { break }
                }
                #expect(results == Array(0..<20))
                var unordered: Set<Int> = []
                for try await number in pool.mapUnordered(0..<20, { try await $0.carry($1) }) {
                    unordered.insert(number)
                }
                #expect(unordered == Set(0..<20))
            }
        }

        @Test("a pool that is passed on is the same pool: all take turns with its members")
        func shared() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let pool = ActorPool([try await mesh.spawn(Porter.self), try await mesh.spawn(Porter.self)])
                let users = [try await mesh.spawn(PoolUser.self, pool), try await mesh.spawn(PoolUser.self, pool)]
                #expect(try await users[0].carry([1, 2, 3]) == [1, 2, 3])
                // One member is busy: the other does everything, whoever asks.
                pool.submit { try await $0.wait(for: "go", at: witness, then: 0) }
                #expect(try await users[0].carry([4, 5]) == [4, 5])
                #expect(try await users[1].carry([6, 7]) == [6, 7])
                try await witness.reach("go")
                #expect(try await pool.next(as: Int.self) == 0)
                // What a user that dies was doing does not keep the member.
                try await users[0].occupy(witness)
                try await witness.wait(for: "occupied", count: 1)
                try await mesh.kill(users[0])
                for _ in 0..<2 { pool.submit { try await $0.carry(9) } }
                for _ in 0..<2 { #expect(try await pool.next(as: Int.self) == 9) }
            }
        }
    }
}
