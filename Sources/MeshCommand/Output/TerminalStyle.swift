import Glibc

/// Emphasis, where it can be seen: on a terminal, unless `NO_COLOR` is set.
struct TerminalStyle {
    private let isOn: Bool

    /// No emphasis.
    static let plain = TerminalStyle(isOn: false)

    /// Always.
    static let ansi = TerminalStyle(isOn: true)

    /// As standard output can show it.
    static var standardOutput: TerminalStyle {
        let isRefused = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        return TerminalStyle(isOn: isatty(1) == 1 && !isRefused)
    }

    func bold(_ text: String) -> String { self.isOn ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
    /// One of the colours of a terminal, by its number.
    func coloured(_ text: String, _ number: Int) -> String {
        self.isOn ? "\u{1b}[\(number)m\(text)\u{1b}[0m" : text
    }
    func dim(_ text: String) -> String { self.isOn ? "\u{1b}[2m\(text)\u{1b}[0m" : text }
}
