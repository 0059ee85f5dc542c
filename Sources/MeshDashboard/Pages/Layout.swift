import FoundationEssentials

/// What every page has around its content.
struct Layout: Sendable {
    /// Which mesh it is, for people.
    var meshName: String
    /// Who looks, when he has signed in.
    var session: Session?
    /// The version of this program.
    var version: String

    /// A whole page.
    ///
    /// - Parameters:
    ///   - section: which part of the site it belongs to; nil for none.
    ///   - live: the address from which the script gets what is new of it; nil for a page that stays as it is.
    ///   - comesBack: whether a browser without the script is to ask again by itself.
    func page(
        title: String, section: Page.Section? = nil, live: Target? = nil, comesBack: Bool = false, _ content: HTML
    ) -> HTML {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <title>\(title) – \(self.meshName)</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        \("<meta http-equiv=\"refresh\" content=\"5\">", if: comesBack)
        <link rel="icon" href="/static/icon.svg" type="image/svg+xml">
        <link rel="stylesheet" href="/static/dashboard.css">
        <script src="/static/dashboard.js"></script>
        </head>
        <body\(live.map { " data-live=\"\($0)\"" as HTML })>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
        <a class="brand" href="/">\(Self.mark)<span>ActorMesh</span></a>
        <nav aria-label="Pages"><ul>
        \(Page.Section.allCases.html { self.link(to: $0, isCurrent: $0 == section) })</ul></nav>
        <div class="tools">
        <button type="button" id="pause" class="quiet" aria-pressed="false" hidden>Pause</button>
        <button type="button" id="theme" class="quiet" hidden>Theme</button>
        \(self.account)
        </div>
        </header>
        <main id="main" tabindex="-1">
        <div id="live">
        \(content)</div>
        </main>
        <footer class="bottom">
        <p><span id="link" class="link" role="status"></span> \(self.meshName) · ActorMesh \(self.version) · \
        <a href="/api/v1/overview">JSON API</a></p>
        </footer>
        </body>
        </html>

        """
    }

    private func link(to section: Page.Section, isCurrent: Bool) -> HTML {
        """
        <li><a href="\(section.page.target)"\(" aria-current=\"page\"", if: isCurrent)>\(section.rawValue)</a></li>

        """
    }

    private var account: HTML {
        guard let session, session.isSignedIn else { return "<a class=\"quiet\" href=\"/sign-in\">Sign in</a>" }
        return """
            <form method="post" action="/sign-out">\(session.field)\
            <button class="quiet">Sign out</button></form>
            """
    }

    /// Three actors and the calls between them.
    private static let mark: HTML = """
        <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path d="M6 6.5 18 9 9.5 18.5z" fill="none" \
        stroke="currentColor" stroke-width="1.6"/><circle cx="6" cy="6.5" r="3.2"/><circle cx="18" cy="9" r="3.2"/>\
        <circle cx="9.5" cy="18.5" r="3.2"/></svg>
        """
}

/// What a page shows of the mesh.
struct Content: Sendable, Hashable {
    var title: String
    var html: HTML
    /// Whether it is not the mesh's answer of now.
    var isOld = false
    /// Whether there is no such thing.
    var isMissing = false
}
