import ArgumentParser
import ResourceModel
import TaskModel

/// `reconciler tasks progress`: how far the phases, and the whole, have come.
struct TasksProgressCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "progress", abstract: "Show how far each phase, and the whole, has come.")

    @Argument(help: "Documents, instead of a cluster.")
    var files: [String] = []
    @OptionGroup var source: TaskSourceOptions
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let board = try await source.board(files)
            if output == .table {
                print(Self.bars(board, isTerminal: TaskOutput.isTerminal))
            } else {
                var value = Self.json(board.progress)
                value["origin"] = .string(board.origin)
                value["phases"] = .array(board.progressByPhase.map(Self.json))
                Printing.print(value, as: output)
            }
            return 0
        }
    }

    private static func json(_ progress: TaskProgress) -> JSONValue {
        var value: JSONValue = [
            "id": progress.phase.map { .string($0.id) } ?? .null, "title": .string(progress.title), "total": .integer(Int64(progress.total)),
            "done": .integer(Int64(progress.done)), "percent": .integer(Int64(progress.percent)),
        ]
        for state in TaskStatus.State.allCases { value[state.rawValue.lowercased()] = .integer(Int64(progress.counts[state, default: 0])) }
        return value
    }

    /// A line for each phase and one for all.
    private static func bars(_ board: TaskBoard, isTerminal: Bool) -> String {
        let phases = board.progressByPhase
        let all = TaskProgress(title: "All", states: board.states)
        let rows = phases.count == 1 && phases[0].phase == nil ? [all] : phases + [all]
        let titles = rows.map { cut(TaskOutput.line($0.title), 60) }
        let width = titles.map(\.count).max() ?? 0
        let counts = rows.map { "\($0.done)/\($0.total)" }
        let countWidth = counts.map(\.count).max() ?? 0
        return rows.indices.map { row in
            let percent = "\(rows[row].percent)"
            let text =
                titles[row] + String(repeating: " ", count: width - titles[row].count + 2) + bar(rows[row], isTerminal: isTerminal)
                + String(repeating: " ", count: countWidth - counts[row].count + 2) + counts[row]
                + String(repeating: " ", count: 5 - percent.count) + percent + " %"
            let others = [TaskStatus.State.running, .failed, .skipped].filter { rows[row].counts[$0, default: 0] > 0 }
            return text + (others.isEmpty ? "" : "  " + others.map { "\(rows[row].counts[$0, default: 0]) \($0.rawValue.lowercased())" }.joined(separator: ", "))
        }.joined(separator: "\n")
    }

    /// Twenty places: done, failed, running, the rest; with colours only where somebody looks.
    private static func bar(_ progress: TaskProgress, isTerminal: Bool) -> String {
        let width = 20
        func places(_ count: Int) -> Int {
            guard progress.total > 0, count > 0 else { return 0 }
            return max(1, count * width / progress.total)
        }
        let done = progress.total == 0 ? width : progress.done == 0 ? 0 : min(places(progress.done), progress.done == progress.total ? width : width - 1)
        let failed = min(places(progress.counts[.failed, default: 0]), width - done)
        let running = min(places(progress.counts[.running, default: 0]), width - done - failed)
        let rest = width - done - failed - running
        func run(_ character: String, _ count: Int) -> String { String(repeating: character, count: count) }
        guard isTerminal else { return "[" + run("#", done) + run("!", failed) + run(">", running) + run("-", rest) + "]" }
        func coloured(_ code: String, _ text: String) -> String { text.isEmpty ? "" : "\u{1B}[\(code)m\(text)\u{1B}[0m" }
        return coloured("32", run("█", done)) + coloured("31", run("█", failed)) + coloured("34", run("▒", running)) + coloured("90", run("░", rest))
    }
}
