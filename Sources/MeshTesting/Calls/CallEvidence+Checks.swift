/// The questions that are asked of calls and runs, one by one. Each finds its own kind of violation and no other.
extension CallEvidence {
    /// Everything that must not have happened.
    public func violations() -> [CallViolation] {
        self.reordered() + self.duplicated() + self.lost() + self.mixedLives()
    }

    /// Order: in each life a caller's calls run in the order in which they were started, and no call runs for the
    /// first time after a later one of its caller has run in any life.
    public func reordered() -> [CallViolation] {
        self.runs.values.flatMap { runs in
            var latest: [LifeOfCaller: Int] = [:]
            var latestFirst: [String: Int] = [:]
            var seen: Set<Int> = []
            var seenInLife: Set<CallRun> = []
            return runs.compactMap { run -> CallViolation? in
                guard let call = self.calls[run.number] else { return nil }
                let key = LifeOfCaller(caller: call.caller, life: run.life)
                defer {
                    latest[key] = max(run.number, latest[key] ?? 0)
                    latestFirst[call.caller] = max(run.number, latestFirst[call.caller] ?? 0)
                }
                let isFirst = seen.insert(run.number).inserted
                // What runs twice in a life is a duplicate, wherever it stands.
                guard seenInLife.insert(run).inserted else { return nil }
                if let last = latest[key], last > run.number {
                    return run.violation(.order, "it ran in life \(run.life) after call \(last) of the same caller")
                }
                if isFirst, let last = latestFirst[call.caller], last > run.number {
                    return run.violation(.order, "it ran first in life \(run.life), after call \(last) had run")
                }
                return nil
            }
        }
    }

    /// Duplicates: a call runs once in a life, in no more lives than its retries allow, in none after it was answered,
    /// and no call runs that nobody started. Its end arrives once.
    public func duplicated() -> [CallViolation] {
        var violations = self.endedTwice.compactMap { number in
            self.calls[number].map { $0.violation(.duplicate, "it ended twice") }
        }
        for runs in self.runs.values {
            var lives: [Int: [UInt64]] = [:]
            for run in runs {
                guard let call = self.calls[run.number], call.actor == run.actor else {
                    violations.append(run.violation(.duplicate, "it ran in life \(run.life) and nobody had started it"))
                    continue
                }
                let before = lives[run.number, default: []]
                lives[run.number] = before + [run.life]
                if before.contains(run.life) {
                    violations.append(run.violation(.duplicate, "it ran twice in life \(run.life)"))
                } else if let retries = call.retries, before.count > retries {
                    violations.append(
                        run.violation(.duplicate, "it ran in lives \(before + [run.life]), with \(retries) retries"))
                }
                if let answer = self.ends[run.number]?.answer, answer.life < run.life {
                    violations.append(
                        run.violation(.duplicate, "it ran in life \(run.life) and was answered by \(answer.life)"))
                }
            }
        }
        return violations
    }

    /// Loss: every call ends, what was answered ran in the life that answered, and what an answer tells is what the runs
    /// of that life before it make: each life has lost nothing and has taken nothing over.
    public func lost() -> [CallViolation] {
        var violations: [CallViolation] = []
        let replayed = self.replay()
        for call in self.calls.values.sorted(by: { $0.number < $1.number }) {
            guard let end = self.ends[call.number] else {
                violations.append(call.violation(.loss, "it has no end"))
                continue
            }
            guard let answer = end.answer else { continue }
            guard let states = replayed[call.number], let state = states.first(where: { $0.life == answer.life }) else {
                violations.append(call.violation(.loss, "life \(answer.life) answered and did not run it"))
                continue
            }
            if state != answer {
                violations.append(call.violation(.loss, "answered \(answer), and its life's runs make \(state)"))
            }
        }
        return violations
    }

    /// Lifetime: answers come from one life after the other. Among the runs that were answered none comes after one of
    /// a later life, and no call that was started after a later life had answered is answered by an earlier one.
    public func mixedLives() -> [CallViolation] {
        var violations: [CallViolation] = []
        for runs in self.runs.values {
            var latest: UInt64 = 0
            for run in runs where self.ends[run.number]?.answer?.life == run.life {
                if run.life < latest {
                    violations.append(run.violation(.lifetime, "life \(run.life) ran and answered it after \(latest)"))
                }
                latest = max(latest, run.life)
            }
        }
        for (_, calls) in Dictionary(grouping: self.calls.values, by: \.actor) {
            let answered = calls.compactMap { call in
                self.ends[call.number].flatMap { end in end.answer.map { (call, end.time, $0.life) } }
            }
            // The latest life that had answered by the time at which each call was started.
            var ends = answered.map { (time: $0.1, life: $0.2) }.sorted { $0.time < $1.time }[...]
            var latest: UInt64 = 0
            for (call, _, life) in answered.sorted(by: { $0.0.start < $1.0.start }) {
                while let end = ends.first, end.time < call.start {
                    latest = max(latest, end.life)
                    ends.removeFirst()
                }
                if life < latest {
                    violations.append(
                        call.violation(
                            .lifetime, "life \(life) answered it, and \(latest) had answered before it began"))
                }
            }
        }
        return violations
    }

    /// What each run of each call should have answered.
    private func replay() -> [Int: [CallAnswer]] {
        var states: [Int: [CallAnswer]] = [:]
        for runs in self.runs.values {
            var lives: [UInt64: CallAnswer] = [:]
            for run in runs {
                var state = lives[run.life] ?? CallAnswer(life: run.life, position: 0, value: 0)
                state.position += 1
                if case .write(let value)? = self.calls[run.number]?.operation { state.value = value }
                lives[run.life] = state
                states[run.number, default: []].append(state)
            }
        }
        return states
    }

    private struct LifeOfCaller: Hashable {
        var caller: String
        var life: UInt64
    }
}

extension CallRecord {
    fileprivate func violation(_ kind: CallViolation.Kind, _ message: String) -> CallViolation {
        CallViolation(kind: kind, actor: self.actor, call: self.number, message: message)
    }
}

extension CallRun {
    fileprivate func violation(_ kind: CallViolation.Kind, _ message: String) -> CallViolation {
        CallViolation(kind: kind, actor: self.actor, call: self.number, message: message)
    }
}
