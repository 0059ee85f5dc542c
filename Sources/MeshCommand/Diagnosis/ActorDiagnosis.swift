import ActorMesh

/// Why an actor is as it is, from what the mesh knows of it. A value.
struct ActorDiagnosis {
    var details: ActorDetails
    /// What it has done; nil when it lives nowhere now, or its process did not say so in time.
    var statistics: ActorStatistics?
    /// The calls to it, and those that it awaits.
    var calls: [CallInfo]

    /// A call that runs longer than this makes its actor slow.
    static let patience = Duration.seconds(1)

    var id: UniqueID? { self.details.actor?.id ?? self.details.termination?.actor }

    /// What it runs now, what has run longest first.
    var running: [CallInfo] {
        self.calls.filter { $0.actor == self.id && $0.runningFor != nil }
            .sorted { ($0.runningFor ?? .zero) > ($1.runningFor ?? .zero) }
    }

    /// What waits in its mailbox, in order.
    var waiting: [CallInfo] { self.calls.filter { $0.actor == self.id && $0.runningFor == nil } }

    /// The calls that it has made and whose results it awaits.
    var awaited: [CallInfo] { self.calls.filter { $0.callingActor == self.id } }

    /// The short answer.
    var verdict: String {
        if let termination = self.details.termination {
            return "It has ended (\(termination.cause.rawValue)): \(termination.message)"
        }
        guard let actor = self.details.actor else { return "The broker knows nothing of it." }
        switch actor.state {
        case .pending, .starting, .restarting:
            let doing =
                switch actor.state {
                case .pending: "It waits to be placed"
                case .restarting: "It died and is being started again"
                default: "It is being started"
                }
            return actor.waitsFor.map { "\(doing): \($0)" } ?? "\(doing)."
        case .ending: return "It finishes what it had accepted, and ends."
        case .alive: return self.aliveVerdict
        }
    }

    private var aliveVerdict: String {
        guard let statistics else { return "It is alive, but its process did not answer in time." }
        guard let longest = self.running.first, let time = longest.runningFor, time >= Self.patience else {
            return statistics.running + statistics.waiting == 0
                ? "It is well, and has nothing to do." : "It is well, and at work."
        }
        let line =
            statistics.waiting == 0 ? "nothing waits behind it" : "\(count(statistics.waiting, "call")) wait behind it"
        guard let awaited = self.awaited.first else {
            return "It is busy: \(longest.method) has run for \(time.text), awaits no other actor, and \(line)."
        }
        return "It is busy: \(longest.method) has run for \(time.text), awaits \(awaited.method) of "
            + "\(awaited.actorLabel), and \(line)."
    }

    // MARK: All of it

    /// The lines for people, below the first one, each with what it is about.
    var rows: [(title: String, text: String)] {
        var rows: [(title: String, text: String)] = [("why", self.verdict)]
        if let actor = self.details.actor {
            rows.append(("lives", self.place(of: actor)))
            rows.append(("restarts", "\(actor.restarts) of at most \(self.details.maxRestarts.text)"))
            rows.append(("owner", self.owner(of: actor)))
            rows += Self.list("held by", self.details.holders.map(Self.text), total: actor.holders)
        }
        if let statistics { rows.append(("calls", Self.text(statistics))) }
        rows += Self.list(
            "runs", self.running.map { "\($0.method) for \($0.caller), since \($0.runningFor?.text ?? "-")" },
            total: self.statistics?.running ?? 0)
        rows += Self.list(
            "mailbox", self.waiting.map { "\($0.method) for \($0.caller)" }, total: self.statistics?.waiting ?? 0)
        rows += Self.list(
            "awaits",
            self.awaited.map { call in
                let since = call.runningFor.map { "running for \($0.text)" } ?? "waiting in the mailbox"
                return "\(call.method) of \(call.actorLabel), \(since)"
            }, total: self.awaited.count)
        return rows
    }

    /// At most so many of a kind are shown.
    private static let shown = 10

    private static func list(_ title: String, _ texts: [String], total: Int) -> [(title: String, text: String)] {
        guard !texts.isEmpty else { return [(title, "nothing")] }
        var rows = texts.prefix(Self.shown).enumerated().map { ($0.offset == 0 ? title : "", $0.element) }
        let left = max(total, texts.count) - rows.count
        if left > 0 { rows.append(("", "and \(left) more")) }
        return rows
    }

    private func place(of actor: ActorInfo) -> String {
        guard actor.processID != 0 else { return "in no process now; life \(actor.incarnation)" }
        return "in process \(actor.processID) on \(actor.node), life \(actor.incarnation)"
    }

    private func owner(of actor: ActorInfo) -> String {
        if actor.lifetime == .detached { return "nobody: it is detached" }
        if let owner = self.details.owner { return ActorChoice.label(owner) }
        return actor.ownerProcess.map { "program \($0)" } ?? "-"
    }

    private static func text(_ holder: ActorDetails.Holder) -> String {
        if holder.isBroker { return "the broker, among the arguments of another actor" }
        let actors = holder.actors.map(ActorChoice.label).joined(separator: ", ")
        guard let node = holder.node else { return "program \(holder.process)" }
        return "a worker of \(node)" + (actors.isEmpty ? "" : " (\(actors))")
    }

    private static func text(_ statistics: ActorStatistics) -> String {
        var text = "\(statistics.calls) in this life, \(statistics.failures) failed"
        if let half = statistics.latencies.quantile(0.5), let most = statistics.latencies.quantile(0.99) {
            text += "; half ran for at most \(half.text), 99 % for at most \(most.text)"
        }
        return text
    }
}

/// `1 call`, `2 calls`, `2 processes`.
func count(_ number: Int, _ noun: String) -> String {
    number == 1 ? "1 \(noun)" : "\(number) \(noun)\(noun.hasSuffix("s") ? "es" : "s")"
}

extension Limit {
    /// For people.
    var text: String { self.count.map(String.init) ?? "any number" }
}

extension Duration {
    /// For people, with three digits: `12.3 s`, `4.56 ms`, `780 µs`.
    var text: String {
        let seconds = Double(self.components.seconds) + Double(self.components.attoseconds) / 1e18
        let (value, unit) =
            switch seconds {
            case ..<0.001: (seconds * 1e6, "µs")
            case ..<1: (seconds * 1e3, "ms")
            default: (seconds, "s")
            }
        return "\(threeDigits(value)) \(unit)"
    }
}

/// A number of at least three digits, without more decimals than it needs for that.
func threeDigits(_ value: Double) -> String {
    let decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2
    let scale = [1.0, 10, 100][decimals]
    let rounded = Int64((value * scale).rounded())
    guard decimals > 0 else { return "\(rounded)" }
    let digits = "\(rounded % Int64(scale))"
    return "\(rounded / Int64(scale))." + String(repeating: "0", count: decimals - digits.count) + digits
}
