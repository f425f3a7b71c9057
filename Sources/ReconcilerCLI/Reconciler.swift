import ArgumentParser
import Git
import HTTPTransport
import Processes
import Store

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

    static func main() async {
        Heap.prepare()
        if let command = CommandLine.arguments.dropFirst().first, asking.contains(command), !CommandLine.arguments.contains("--help") {
            // Libraries get ready while the arguments are read; a thread that does not start costs only that time.
            _ = DedicatedThread.start { GitLibrary.prepare() }
            _ = DedicatedThread.start { HTTPClient.prepareLibrary() }
            _ = DedicatedThread.start { HistoryStore.prepareLibrary() }
        }
        guard var command = leaf(CommandLine.arguments) else { return await main(nil) }
        do { try await command.run() } catch { exit(withError: error) }
    }

    /// The command that the arguments name, if they are right and it has no others below it. The whole tree of commands is gone
    /// through only to say what is wrong, or to help.
    private static func leaf(_ arguments: [String]) -> (any AsyncParsableCommand)? {
        guard let name = arguments.dropFirst().first, let type = configuration.subcommands.first(where: { $0._commandName == name }),
            type.configuration.subcommands.isEmpty
        else { return nil }
        return try? type.parse(Array(arguments.dropFirst(2))) as? any AsyncParsableCommand  // What is wrong is found again, and said.
    }

    /// Commands that ask a repository and a cluster.
    private static let asking = ["sync", "run", "diff", "plan", "status", "wait", "why", "rollback", "delete"]
}
