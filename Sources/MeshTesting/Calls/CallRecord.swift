/// One call to an actor that counts and keeps a number, as its caller saw it.
public struct CallRecord: Sendable, Hashable, Codable {
    /// What the call does to the actor.
    public enum Operation: Sendable, Hashable, Codable {
        /// Changes nothing but the count of calls.
        case read
        /// Sets the number that the actor keeps. Each write has its own.
        case write(Int)
    }

    /// The call's own number. Those of one caller to one actor rise in the order in which it started them.
    public var number: Int
    /// Who called.
    public var caller: String
    /// Whom.
    public var actor: String
    /// What for.
    public var operation: Operation
    /// How often it may run again after a death; nil: without limit.
    public var retries: Int?
    /// When it was started, in nanoseconds of the host's clock.
    public var start: UInt64

    /// Describes a call that is about to be started.
    public init(
        number: Int, caller: String, actor: String, operation: Operation, retries: Int?, start: UInt64
    ) {
        self.number = number
        self.caller = caller
        self.actor = actor
        self.operation = operation
        self.retries = retries
        self.start = start
    }
}

/// What an actor answers to a call: in which life it ran, after how many others of that life, and what it left.
public struct CallAnswer: Sendable, Hashable, Codable {
    /// The life, counted from 1.
    public var life: UInt64
    /// How many calls have run in that life, this one included.
    public var position: Int
    /// The number that the actor keeps; 0 before the first write of a life.
    public var value: Int

    /// Makes an answer.
    public init(life: UInt64, position: Int, value: Int) {
        self.life = life
        self.position = position
        self.value = value
    }
}

/// How a call ended.
public struct CallEnd: Sendable, Hashable, Codable {
    /// Which call.
    public var number: Int
    /// What it returned; nil when it failed.
    public var answer: CallAnswer?
    /// The code of the error with which it failed; nil when it returned.
    public var code: UInt16?
    /// When its caller knew, in nanoseconds of the host's clock.
    public var time: UInt64

    /// Describes an end.
    public init(number: Int, answer: CallAnswer? = nil, code: UInt16? = nil, time: UInt64) {
        self.number = number
        self.answer = answer
        self.code = code
        self.time = time
    }
}

/// That a call ran, as the actor itself has noted it before it answered.
public struct CallRun: Sendable, Hashable, Codable {
    /// Where.
    public var actor: String
    /// In which of the actor's lives.
    public var life: UInt64
    /// Which call.
    public var number: Int

    /// Describes a run.
    public init(actor: String, life: UInt64, number: Int) {
        self.actor = actor
        self.life = life
        self.number = number
    }
}
