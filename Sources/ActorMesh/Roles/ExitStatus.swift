import MeshCore

/// How a program of a mesh ends; the numbers are those of `sysexits.h` where it has one.
package enum ExitStatus {
    /// It did what it was asked.
    package static let success: Int32 = 0
    /// It did not.
    package static let failure: Int32 = 1
    /// Its command line makes no sense.
    package static let usage: Int32 = 64
    /// No broker answers.
    package static let brokerUnavailable: Int32 = 69

    /// The status for an error.
    package static func of(_ error: any Error) -> Int32 {
        if error is UsageError { return Self.usage }
        if let error = error as? MeshError, error.code == .brokerUnavailable { return Self.brokerUnavailable }
        return Self.failure
    }
}

/// A command line that makes no sense.
package struct UsageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, and what to do.
    package var description: String

    package init(_ description: String) { self.description = description }
}
