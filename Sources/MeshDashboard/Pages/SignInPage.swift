/// The form by which somebody shows that he may change the mesh.
struct SignInPage {
    var credentials: Credentials
    /// Whether he is on this host.
    var isLocal: Bool
    var session: Session?
    /// Where to go afterwards.
    var next: String
    var hasFailed = false

    var html: HTML {
        """
        <h1>Sign in</h1>
        <div class="card form">
        \("<p class=\"warning\" role=\"alert\">That is not it.</p>", if: self.hasFailed)
        \(self.form)</div>

        """
    }

    private var form: HTML {
        guard self.isLocal else {
            return """
                <p>One can sign in only from the host on which this dashboard runs, because nothing between here and there \
                is encrypted. Open a tunnel to it, such as <code>ssh -L 8265:127.0.0.1:8265 HOST</code>, and sign in at \
                <code>http://127.0.0.1:8265</code>.</p>
                """
        }
        switch self.credentials {
        case .none(let reason): return "<p>Nobody can change the mesh from here. \(reason)</p>"
        case .meshKey:
            return self.fields(
                label: "The mesh key",
                hint:
                    "Paste the content of the key file that <code>mesh keygen</code> made. It stays on this host, and is "
                    + "kept nowhere.")
        case .code(_, let file):
            return self.fields(
                label: "The code",
                hint:
                    "This mesh has no key. Paste what stands in <code>\(file)</code>, which only the user can read who "
                    + "runs this dashboard.")
        }
    }

    private func fields(label: HTML, hint: HTML) -> HTML {
        """
        <p>Whoever has signed in can kill actors. Looking at the mesh needs no sign-in.</p>
        <form method="post" action="/sign-in">
        \(self.session?.field)
        <input type="hidden" name="next" value="\(self.next)">
        <label for="secret">\(label)</label>
        <input id="secret" name="secret" type="password" required autocomplete="off" aria-describedby="hint">
        <p class="note" id="hint">\(hint)</p>
        <button class="primary">Sign in</button>
        </form>

        """
    }
}
