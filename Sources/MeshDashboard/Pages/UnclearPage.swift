import ActorMesh
import MeshCore
import MeshRuntime

/// A page whose address asks for what there cannot be: it says so, and shows the form by which that can be mended. All
/// that there is would look like what was asked for.
struct UnclearPage {
    var page: Page
    var problems: [ParameterProblem]
    /// The names of the nodes to choose from.
    var nodes: [String]

    var html: HTML {
        """
        <h1>\(self.page.section.rawValue)</h1>
        \(self.form)
        <div class="warning" role="alert">\(self.problems.html { "<p>\($0.text)</p>" })</div>
        \(Parts.nothing("Nothing is shown, because it is not clear what. \(self.way)"))

        """
    }

    private var form: HTML {
        switch self.page {
        case .logs(let choice): LogFilter(choice: choice, nodes: self.nodes).html
        case .actors(let query):
            ActorTabs(current: .living).html + ActorFilter(query: query, nodes: self.nodes, hasStates: true).html
        case .ended(let query):
            ActorTabs(current: .ended).html + ActorFilter(query: query, nodes: self.nodes, hasStates: false).html
        default: .empty
        }
    }

    /// The way to what can be shown.
    private var way: HTML { "<a href=\"\(self.page.whole.target)\" data-soft>Show everything</a>" }
}

extension Page {
    /// The same page with nothing chosen.
    fileprivate var whole: Page {
        switch self {
        case .logs: .logs(LogChoice())
        case .actors: .actors(ActorQuery())
        case .ended: .ended(ActorQuery())
        case .tree: .tree(TreeChoice())
        case .overview, .nodes, .tasks, .objects, .actor: self
        }
    }
}
