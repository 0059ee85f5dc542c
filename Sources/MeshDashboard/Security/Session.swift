/// Somebody who has opened the sign-in form, and may have signed in by it.
struct Session: Sendable, Hashable {
    /// What his browser shows; nobody else may know it.
    let id: String
    /// What every form has that he may send: a page of another site cannot know it.
    let token: String
    var isSignedIn = false

    /// The part of a form that has the token.
    var field: HTML { "<input type=\"hidden\" name=\"token\" value=\"\(self.token)\">" }
}
