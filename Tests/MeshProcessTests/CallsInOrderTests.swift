import ActorMesh
import MeshFixtures
import MeshTesting
import Testing

extension Processes {
    /// C2: calls from one caller to one actor run in the order in which they were started.
    @Suite("C2: in order") struct CallsInOrder {
        @Test("pipelined calls of five processes run once each and in each one's order", arguments: [false, true])
        func manyCallers(underLoad: Bool) async throws {
            try await withFixtures { mesh in
                let ledger = try await mesh.spawn(Ledger.self)
                if underLoad { try await self.keepProcessorsBusy(mesh) }
                let names = (0..<4).map { "caller \($0)" }
                var callers: [(String, Caller)] = []
                for name in names { callers.append((name, try await mesh.spawn(Caller.self))) }
                let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                    for (name, caller) in callers {
                        group.addTask { try await caller.pipeline(ledger, as: name, count: 2000) }
                    }
                    group.addTask {
                        var refs: [ObjectRef<Int>] = []
                        for number in 0..<2000 {
                            refs.append(try await mesh.submit { try await ledger.append("driver", number) })
                        }
                        return try await mesh.get(refs).count
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(counts == Array(repeating: 2000, count: 5))
                let expected = Dictionary(uniqueKeysWithValues: (names + ["driver"]).map { ($0, 2000) })
                try await self.check(try await ledger.history(), expected)
            }
        }

        @Test("a method that suspends keeps the order too")
        func suspending() async throws {
            try await withFixtures { mesh in
                let ledger = try await mesh.spawn(Ledger.self)
                var refs: [ObjectRef<Int>] = []
                for number in 0..<3000 {
                    refs.append(
                        try await mesh.submit {
                            try await number % 3 == 0
                                ? ledger.append("driver", number) : ledger.appendLater("driver", number)
                        })
                }
                #expect(try await mesh.get(refs) == Array(1...3000))
                try await self.check(try await ledger.history(), ["driver": 3000])
            }
        }

        @Test("one-way messages and calls of one caller keep one order")
        func tells() async throws {
            try await withFixtures { mesh in
                let ledger = try await mesh.spawn(Ledger.self)
                let caller = try await mesh.spawn(Caller.self)
                async let others = caller.tellMany(ledger, as: "caller", count: 5000)
                for number in 0..<5000 {
                    if number % 2 == 0 {
                        try await mesh.tell { _ = try await ledger.append("driver", number) }
                    } else {
                        _ = try await ledger.append("driver", number)
                    }
                }
                _ = try await others
                try await self.check(try await ledger.history(), ["driver": 5000, "caller": 5000])
            }
        }

        private func check(_ history: History, _ expected: [String: Int]) async throws {
            #expect(history.duplicates.prefix(10) == [])
            #expect(history.lost(of: expected).prefix(10) == [])
            #expect(history.reordered.prefix(10) == [])
            #expect(history.entries.count == expected.values.reduce(0, +))
        }

        private func keepProcessorsBusy(_ mesh: Mesh) async throws {
            let witness = try await mesh.spawn(Witness.self, options: Witness.options)
            for _ in 0..<3 {
                let burner = try await mesh.spawn(Burner.self)
                try await mesh.tell { try await burner.burn(witness) }
            }
            try await witness.wait(for: "burning", count: 3)
        }
    }
}
