import ArgumentParser

/// `reconciler tasks`: lists of tasks, out of documents or of a cluster.
struct TasksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tasks", abstract: "Read, order, follow and tick off the tasks that documents declare.",
        discussion: """
            parse, list, show, progress, next, graph and export read documents when any are named (FILE..., or --file), \
            and need no cluster then; else the tasks of a cluster. All others are about tasks of a cluster.
            """,
        subcommands: [
            TasksParseCommand.self, TasksListCommand.self, TasksShowCommand.self, TasksProgressCommand.self, TasksNextCommand.self,
            TasksGraphCommand.self, TasksExportCommand.self, TasksStartCommand.self, TasksDoneCommand.self, TasksFailCommand.self,
            TasksSkipCommand.self, TasksResetCommand.self, TasksApproveCommand.self, TasksLogsCommand.self, TasksRunCommand.self,
        ])
}
