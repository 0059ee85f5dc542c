import ActorMesh
import MeshCore

/// The question before an actor is killed.
struct KillPage {
    var details: ActorDetails
    var actor: ActorInfo
    var session: Session
    /// Why the last attempt failed.
    var problem: String?

    var html: HTML {
        """
        <h1>Kill \(ActorDetailsPage.title(self.details))?</h1>
        <div class="card form">
        \(self.problem.map { "<p class=\"warning\" role=\"alert\">\($0)</p>" as HTML })
        <p>\(self.consequences)</p>
        <form method="post" action="\(Target("actors", self.actor.id.description, "kill"))">
        \(self.session.field)
        \(self.restart)
        <p class="buttons"><button class="danger">Kill it</button> \
        <a class="quiet" href="\(Page.actor(self.actor.id).target)">Do not</a></p>
        </form>
        </div>

        """
    }

    private var consequences: HTML {
        let children: HTML =
            self.actor.children > 0
            ? " Its \(Parts.count(self.actor.children, "child", "children")) end with it, and what those spawned." : ""
        return "It ends at once, without cleaning up. Calls that wait or run there fail.\(children)"
    }

    private var restart: HTML {
        guard self.details.maxRestarts != 0 else {
            return "<p class=\"note\">It is not started again: it was spawned without restarts.</p>"
        }
        return """
            <label class="choice"><input type="checkbox" name="restart" value="yes"> Start it again, which counts against \
            its restarts (\(Parts.number(self.actor.restarts)) of at most \(self.details.maxRestarts.description))</label>
            """
    }
}
