import ArgumentParser

/// The root command.
@main
struct ReconcilerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconciler", abstract: "Makes what a Git branch declares real, keeps it real, and can always say why it is so.",
        subcommands: [ClusterCommand.self])
}
