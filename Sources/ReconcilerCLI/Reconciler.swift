import ArgumentParser

/// The root command.
@main
struct ReconcilerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconciler", abstract: "Makes what a Git branch declares real, keeps it real, and can always say why it is so.",
        version: "0.1.0",
        subcommands: [
            SyncCommand.self, RunCommand.self, DiffCommand.self, PlanCommand.self, StatusCommand.self, HistoryCommand.self,
            WaitCommand.self, WhyCommand.self, RollbackCommand.self, DeleteCommand.self, RenderCommand.self, ValidateCommand.self, HealthCommand.self, ClusterCommand.self,
            TasksCommand.self,
        ])
}
