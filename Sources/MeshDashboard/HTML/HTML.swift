/// Markup for a page. What is written in the source stands for itself; whatever is put into it is escaped, unless it is
/// markup already. There is no other way to make one, so that no text of a mesh can become markup.
///
/// Attributes have to be written in double quotes: `<a href="\(url)">\(name)</a>`.
struct HTML: Sendable, Hashable {
    private(set) var text: String

    /// Nothing.
    static let empty: HTML = ""

    private init(text: String) { self.text = text }

    /// A text, escaped.
    init(escaping text: some StringProtocol) { self.text = Self.escape(text) }

    /// Several pieces one after another.
    init(_ pieces: some Sequence<HTML>) {
        self.text = ""
        for piece in pieces { self.text += piece.text }
    }

    static func + (left: HTML, right: HTML) -> HTML { HTML(text: left.text + right.text) }

    static func += (left: inout HTML, right: HTML) { left.text += right.text }

    /// Safe between tags and in attributes with quotes of either kind.
    private static func escape(_ text: some StringProtocol) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            // Nothing of these means anything in a page, and a browser must not have to guess.
            case "\u{0}"..."\u{8}", "\u{b}"..."\u{c}", "\u{e}"..."\u{1f}", "\u{7f}"..."\u{9f}": result += "\u{fffd}"
            // These turn what stands beside them round, so that it reads as something else.
            case "\u{202a}"..."\u{202e}", "\u{2066}"..."\u{2069}": result += "\u{fffd}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension HTML: ExpressibleByStringInterpolation {
    // Literals only: a string that was made while the program runs is no markup.
    init(stringLiteral value: StaticString) { self.text = value.description }

    init(stringInterpolation: StringInterpolation) { self.text = stringInterpolation.text }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            self.text.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        mutating func appendLiteral(_ literal: StaticString) { self.text += literal.description }

        mutating func appendInterpolation(_ html: HTML) { self.text += html.text }

        mutating func appendInterpolation(_ html: HTML?) { if let html { self.text += html.text } }

        mutating func appendInterpolation(_ pieces: some Sequence<HTML>) {
            for piece in pieces { self.text += piece.text }
        }

        mutating func appendInterpolation(_ text: some StringProtocol) { self.text += HTML.escape(text) }

        mutating func appendInterpolation(_ number: some BinaryInteger) { self.text += String(number) }

        /// Markup that is there only when something is so.
        mutating func appendInterpolation(_ html: HTML, if condition: Bool) { if condition { self.text += html.text } }
    }
}

extension Sequence {
    /// Markup for each of them.
    func html(_ body: (Element) -> HTML) -> HTML { HTML(self.map(body)) }
}
