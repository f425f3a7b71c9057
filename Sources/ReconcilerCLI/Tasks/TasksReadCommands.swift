import ArgumentParser
import ResourceModel
import TaskModel

/// `reconciler tasks parse`: documents to tasks. Offline.
struct TasksParseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parse", abstract: "Read task documents and show what they declare. Needs no cluster and no repository.")

    @Argument(help: "Documents; several are merged into one list; `-` for standard input.")
    var files: [String]
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let board = try TaskBoard(try TaskFiles.document(files))
            TaskOutput.warn(of: board)
            let all = Array(board.tasks.indices)
            if output == .table {
                print(TaskOutput.table(board, all))
                Terminal.error(TaskOutput.summary(board))
            } else {
                Printing.print(board.json(all), as: output)
            }
            return 0
        }
    }
}

/// `reconciler tasks list`: tasks with where they stand.
struct TasksListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List tasks, all or those that fit.")

    @Argument(help: "Documents, instead of a cluster.")
    var files: [String] = []
    @OptionGroup var filter: TaskFilterOptions
    @OptionGroup var source: TaskSourceOptions
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let board = try await source.board(files)
            let tasks = try filter.tasks(of: board)
            if output == .table {
                print(TaskOutput.table(board, tasks))
                let shown = tasks.count < board.tasks.count ? "\(tasks.count) of " : ""
                Terminal.error(shown + TaskOutput.summary(board))
            } else {
                Printing.print(.array(tasks.map(board.json)), as: output)
            }
            return 0
        }
    }
}

/// `-o` of `export`.
enum TaskExportFormat: String, ExpressibleByArgument, CaseIterable { case json, csv, yaml }

/// `reconciler tasks export`: the list for other programs.
struct TasksExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "export", abstract: "Write tasks as JSON, YAML or CSV.")

    @Argument(help: "Documents, instead of a cluster.")
    var files: [String] = []
    @OptionGroup var filter: TaskFilterOptions
    @OptionGroup var source: TaskSourceOptions
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: TaskExportFormat = .json

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let board = try await source.board(files)
            let tasks = try filter.tasks(of: board)
            switch output {
            case .json: Printing.print(board.json(tasks), as: .json)
            case .yaml: Printing.print(board.json(tasks), as: .yaml)
            case .csv: print(csv(TaskBoard.recordHeader, tasks.map(board.record)), terminator: "")
            }
            return 0
        }
    }
}
