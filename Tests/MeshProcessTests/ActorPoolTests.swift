import ActorMesh
import MeshFixtures
import MeshTesting
import Testing

extension Processes {
    /// S3, S4 and FIELD 2.7: actors that share work. Each row of that table has a test with its name; `PoolLedgerTests`
    /// has those of idle selection and submit, in every order.
    @Suite("FIELD 2.7: pools") struct Pools {
        @Test("FIELD 2.7, idle selection: the member that was the last to become free is taken first")
        func idleSelection() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let members = [try await mesh.spawn(Porter.self), try await mesh.spawn(Porter.self)]
                let pool = ActorPool(members)
                for number in 0..<2 { pool.submit { try await $0.wait(for: "\(number)", at: witness, then: number) } }
                // The second member has the first work: when that is done last, it is the last to become free.
                try await witness.reach("1")
                #expect(try await pool.nextUnordered(as: Int.self) == 1)
                try await witness.reach("0")
                #expect(try await pool.nextUnordered(as: Int.self) == 0)
                #expect(try pool.popIdle() == members[1])
                #expect(try pool.popIdle() == members[0])
            }
        }

        @Test(
            "FIELD 2.7, submit and get_next: a pool of six does twelve pieces of work, results in order of submission")
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

        @Test("FIELD 2.7, has_next and submit: on an empty pool work just waits, and there is no next one")
        func empty() async throws {
            try await withFixtures { mesh in
                let pool = ActorPool<Porter>([])
                #expect(!pool.hasNext && !pool.hasFree)
                pool.submit { try await $0.carry(1) }
                #expect(!pool.hasNext && !pool.hasFree)
                let error = await #expect(throws: MeshError.self) { try await pool.next(as: Int.self) }
                #expect(error?.code == .invalidArgument)
                try pool.push(try await mesh.spawn(Porter.self))
                #expect(pool.hasNext)
                #expect(try await pool.next(as: Int.self) == 1)
            }
        }

        @Test("FIELD 2.7, get_next_unordered: results as they come")
        func asTheyCome() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let pool = try await ActorPool(count: 3) { try await mesh.spawn(Porter.self) }
                for number in 0..<3 { pool.submit { try await $0.wait(for: "\(number)", at: witness, then: number) } }
                for number in [2, 0, 1] {
                    try await witness.reach("\(number)")
                    #expect(try await pool.nextUnordered(as: Int.self) == number)
                }
            }
        }

        @Test("FIELD 2.7, get_next with a timeout, and ignore_if_timedout: the result stays, and its member is busy")
        func timeout() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let pool = ActorPool([try await mesh.spawn(Porter.self)])
                pool.submit { try await $0.wait(for: "go", at: witness, then: 1) }
                for _ in 0..<2 {
                    let error = await #expect(throws: MeshError.self) {
                        try await pool.next(as: Int.self, timeout: .milliseconds(50))
                    }
                    #expect(error?.code == .deadlineExceeded)
                    let other = await #expect(throws: MeshError.self) {
                        try await pool.nextUnordered(as: Int.self, timeout: .milliseconds(50))
                    }
                    #expect(other?.code == .deadlineExceeded)
                }
                #expect(!pool.hasFree)
                #expect(try pool.popIdle() == nil)
                try await witness.reach("go")
                #expect(try await pool.next(as: Int.self) == 1)
            }
        }

        @Test("FIELD 2.7, nothing left: invalidArgument, by either")
        func nothing() async throws {
            try await withFixtures { mesh in
                let pool = ActorPool([try await mesh.spawn(Porter.self)])
                pool.submit { try await $0.carry(1) }
                _ = try await pool.next(as: Int.self)
                let error = await #expect(throws: MeshError.self) { try await pool.next(as: Int.self) }
                #expect(error?.code == .invalidArgument)
                let other = await #expect(throws: MeshError.self) { try await pool.nextUnordered(as: Int.self) }
                #expect(other?.code == .invalidArgument)
            }
        }

        @Test("FIELD 2.7, mixing: results that were taken out of order are not lost, nor given twice")
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
            }
        }

        @Test("a result of another type than was asked for stays the next one")
        func mistyped() async throws {
            try await withFixtures { mesh in
                let pool = ActorPool([try await mesh.spawn(Porter.self)])
                for number in 1...2 { pool.submit { try await $0.carry(number) } }
                let error = await #expect(throws: MeshError.self) { try await pool.next(as: String.self) }
                #expect(error?.code == .invalidArgument)
                let other = await #expect(throws: MeshError.self) { try await pool.nextUnordered(as: String.self) }
                #expect(other?.code == .invalidArgument)
                #expect(try await pool.next(as: Int.self) == 1)
                #expect(try await pool.nextUnordered(as: Int.self) == 2)
            }
        }

        @Test("FIELD 2.7, user exception: what a member throws is the result, and the member goes on")
        func errors() async throws {
            try await withFixtures { mesh in
                let pool = ActorPool([try await mesh.spawn(Porter.self)])
                pool.submit { try await $0.drop() }
                pool.submit { try await $0.carry(1) }
                await #expect(throws: Porter.Dropped.self) { try await pool.next(as: Int.self) }
                #expect(try await pool.next(as: Int.self) == 1)
            }
        }

        @Test("FIELD 2.7, actor death: a member that dies fails its work once, and the pool goes on without it")
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

        @Test("a member that died while it was free fails nothing, and another takes its place")
        func diedWhileFree() async throws {
            try await withFixtures { mesh in
                let made = Checkpoints()
                let pool = try await ActorPool(count: 2) {
                    made.reach("made")
                    return try await mesh.spawn(Porter.self)
                }
                // The one that would be taken next.
                let porter = try #require(try pool.popIdle())
                try pool.push(porter)
                try await mesh.kill(porter)
                await #expect(throws: MeshError.self) { try await porter.carry(1) }
                for number in 0..<6 { pool.submit(number) { try await $0.carry($1) } }
                for number in 0..<6 { #expect(try await pool.next(as: Int.self) == number) }
                try await made.wait(for: "made", count: 3)
            }
        }

        @Test("a member that was taken out while it worked, and dies, has no successor")
        func removedAndDead() async throws {
            try await withFixtures { mesh in
                let made = Checkpoints()
                let pool = try await ActorPool(count: 1) {
                    made.reach("made")
                    return try await mesh.spawn(Porter.self)
                }
                let porter = try #require(try pool.popIdle())
                try pool.push(porter)
                pool.submit { try await $0.die() }
                #expect(try pool.remove(porter))
                await #expect(throws: MeshError.self) { try await pool.next(as: Int.self) }
                #expect(pool.count == 0)
                pool.submit { try await $0.carry(1) }
                #expect(!pool.hasNext)
                #expect(made.count(of: "made") == 1)
            }
        }

        @Test("FIELD 2.7, has_free: a member is free and nothing waits")
        func free() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let pool = ActorPool([try await mesh.spawn(Porter.self)])
                #expect(pool.hasFree)
                pool.submit { try await $0.wait(for: "go", at: witness, then: 1) }
                #expect(!pool.hasFree)
                pool.submit { try await $0.wait(for: "go on", at: witness, then: 2) }
                try await witness.reach("go")
                #expect(try await pool.next(as: Int.self) == 1)
                #expect(!pool.hasFree)
                try await witness.reach("go on")
                #expect(try await pool.next(as: Int.self) == 2)
                #expect(pool.hasFree)
            }
        }

        @Test("FIELD 2.7, push and pop_idle: members come and go, and none is there twice")
        func resized() async throws {
            try await withFixtures { mesh in
                let porter = try await mesh.spawn(Porter.self)
                let pool = ActorPool([porter])
                let error = #expect(throws: MeshError.self) { try pool.push(porter) }
                #expect(error?.code == .invalidArgument)
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

        @Test("FIELD 2.7, map and map_unordered: few are under way, so that an input without end is no problem")
        func map() async throws {
            try await withFixtures { mesh in
                let pool = ActorPool([try await mesh.spawn(Porter.self), try await mesh.spawn(Porter.self)])
                // What was submitted before is not discarded.
                pool.submit { try await $0.carry(-1) }
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
                #expect(try await pool.next(as: Int.self) == -1)
            }
        }

        @Test(
            "map gives what is there while its next input is not, and ends with the input's error",
            arguments: [true, false])
        func slowInput(ordered: Bool) async throws {
            try await withFixtures { mesh in
                let pool = ActorPool([try await mesh.spawn(Porter.self), try await mesh.spawn(Porter.self)])
                let (inputs, feed) = AsyncThrowingStream.makeStream(of: Int.self)
                let outputs =
                    ordered
                    ? pool.map(inputs) { try await $0.carry($1) } : pool.mapUnordered(inputs) { try await $0.carry($1) }
                var results = outputs.makeAsyncIterator()
                for number in 0..<5 {
                    feed.yield(number)
                    #expect(try await results.next() == number)
                }
                feed.yield(5)
                feed.finish(throwing: Porter.Dropped())
                #expect(try await results.next() == 5)
                do {
                    _ = try await results.next()
                    Issue.record("the input had failed")
                } catch {
                    #expect(error is Porter.Dropped)
                }
                #expect(try await results.next() == nil)
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
