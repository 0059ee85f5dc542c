/// A file that pages need. It is a part of the program, so that there is nothing to install beside it.
struct Asset: Sendable {
    let name: String
    let type: String
    let content: String

    static let all = [
        Asset(name: "dashboard.css", type: "text/css; charset=utf-8", content: Stylesheet.text),
        Asset(name: "dashboard.js", type: "text/javascript; charset=utf-8", content: Script.text),
        Asset(name: "icon.svg", type: "image/svg+xml", content: Self.icon),
    ]

    private static let icon = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="#3f5fd0" stroke="#3f5fd0"><path \
        d="M6 6.5 18 9 9.5 18.5z" fill="none" stroke-width="1.6"/><circle cx="6" cy="6.5" r="3.2"/><circle cx="18" \
        cy="9" r="3.2"/><circle cx="9.5" cy="18.5" r="3.2"/></g></svg>
        """
}
