import ActorMesh
import Glibc

/// A terminal on which one picture is drawn over the other.
struct Screen {
    /// Standard output, when it is a terminal that can be drawn on.
    static var standardOutput: Screen? {
        let isDumb = getenv("TERM").map { String(cString: $0) == "dumb" } ?? true
        return isatty(1) == 1 && !isDumb ? Screen() : nil
    }

    /// How many lines and columns it has; it may change at any time.
    var size: (height: Int, width: Int) {
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0 else { return (24, 80) }
        return (Int(size.ws_row), Int(size.ws_col))
    }

    /// Draws lines over what was there, without flicker: each line erases what is behind it, the last what is below.
    func draw(_ lines: [String]) {
        let text = "\u{1b}[H" + lines.map { "\($0)\u{1b}[K" }.joined(separator: "\n") + "\u{1b}[J"
        self.write(text)
    }

    /// Leaves the last picture where it is, with the cursor below.
    func leave() { self.write("\n") }

    private func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(1, rest.baseAddress, rest.count)
                guard count > 0 || errno == EINTR else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(max(0, count)))
            }
        }
    }
}
