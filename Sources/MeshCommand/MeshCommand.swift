import ArgumentParser

@main
struct MeshCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "mesh", abstract: "Runs and inspects an actor mesh.")
}
