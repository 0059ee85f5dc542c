import ActorMesh
import FoundationEssentials

/// Prints messages one by one.
struct MessagePrinter {
    private let format: FormatOptions.Format
    private let style: TerminalStyle
    private var senderWidth = 8

    init(_ format: FormatOptions.Format, style: TerminalStyle = .standardOutput) {
        self.format = format
        self.style = style
    }

    mutating func print(_ message: Message) throws {
        switch self.format {
        case .text: say(self.line(message), to: 1)
        case .json: say(try jsonText(MessageRow(message)), to: 1)
        }
    }

    /// `2026-01-01T12:00:00Z sender   │ text`; further lines of the text stand below it.
    mutating func line(_ message: Message) -> String {
        let sender = message.sender.isEmpty ? "-" : printable(message.sender)
        self.senderWidth = max(self.senderWidth, sender.count)
        let date = message.date.formatted(.iso8601)
        let padded = sender + String(repeating: " ", count: self.senderWidth - sender.count)
        let lines = message.text.split(separator: "\n", omittingEmptySubsequences: false).map { printable(String($0)) }
        let margin = String(repeating: " ", count: date.count + 1 + self.senderWidth)
        let head = "\(self.style.dim(date)) \(self.style.bold(padded)) \(self.style.dim("│"))"
        let rest = lines.dropFirst().map { "\n\(margin) \(self.style.dim("│")) \($0)" }.joined()
        return "\(head) \(lines.first ?? "")\(rest)"
    }
}

/// A message as programs read it.
struct MessageRow: Encodable {
    var sequence: UInt64
    var date: String
    var sender: String
    var text: String

    init(_ message: Message) {
        self.sequence = message.sequence
        self.date = message.date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        self.sender = message.sender
        self.text = message.text
    }
}

/// Text that cannot move the cursor or change the colours of a terminal: control characters are written out.
func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
        if isControl(scalar) {
            result += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control && scalar != "\t"
}
