import ArgumentParser
import ResourceModel
import TaskModel

/// `-o` of `graph`.
enum TaskGraphFormat: String, ExpressibleByArgument, CaseIterable { case table, dot, mermaid, json, yaml }

/// `reconciler tasks graph`: the critical path and the earliest finish, or a picture of the order.
struct TasksGraphCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Show the critical path and the earliest finish, or the order as a DOT or Mermaid picture.")

    @Argument(help: "Documents, instead of a cluster.")
    var files: [String] = []
    @Option(help: "How many work beside each other (default: as many as there is work for).")
    var workers: Int?
    @Option(help: "For tasks that neither they nor their phase estimate: 30m, 1h, 2d (a day has 8 hours).")
    var defaultEstimate: String = "1h"
    @OptionGroup var source: TaskSourceOptions
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: TaskGraphFormat = .table

    func validate() throws {
        if let workers, workers < 1 { throw ValidationError("--workers \(workers): write 1 or more.") }
        guard Self.hours(defaultEstimate) != nil else {
            throw ValidationError("--default-estimate \(defaultEstimate): write a number and m, h, d or w, such as 30m or 1.5h.")
        }
    }

    /// Working time: a day has 8 hours, a week 5 days.
    private static func hours(_ text: String) -> Double? {
        let units: [Character: Double] = ["m": 1.0 / 60, "h": 1, "d": 8, "w": 40]
        guard let unit = text.last.flatMap({ units[$0] }), let number = Double(text.dropLast()), number.isFinite, number > 0, number < 1e6 else { return nil }
        return number * unit
    }

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let board = try await source.board(files)
            let schedule = board.schedule(workers: workers, defaultHours: Self.hours(defaultEstimate) ?? TaskGraph.defaultHours)
            let picture = TaskGraphPicture(board.graph, title: board.title, states: board.states, criticalPath: schedule.criticalPath)
            switch output {
            case .table: print(text(board, schedule))
            case .json: Printing.print(Self.json(board, schedule), as: .json)
            case .yaml: Printing.print(Self.json(board, schedule), as: .yaml)
            case .dot: print(picture.dot, terminator: "")
            case .mermaid:
                let chart = picture.mermaid
                if picture.mermaidEdgeCount > 500 || chart.utf8.count > 50_000 {
                    Terminal.error("warning: Mermaid draws at most 500 edges and 50,000 characters unless `maxEdges` and `maxTextSize` are raised; use -o dot for large lists")
                }
                print(chart, terminator: "")
            }
            return 0
        }
    }

    private func text(_ board: TaskBoard, _ schedule: TaskSchedule) -> String {
        guard !schedule.entries.isEmpty else { return "nothing is left: all \(TaskOutput.number(board.tasks.count, "task")) have ended" }
        let entries = Dictionary(schedule.entries.map { ($0.id, $0) }) { first, _ in first }
        let rows = schedule.criticalPath.compactMap { id -> [String]? in
            guard let entry = entries[id], let task = board.graph.place(of: id) else { return nil }
            // With few workers a task may begin later than the path alone would have it.
            return [
                TaskOutput.line(id), Self.shown(entry), TaskOutput.work(entry.start), TaskOutput.work(entry.finish),
                TaskOutput.line(board.tasks[task].phase ?? "-"), cut(TaskOutput.line(board.tasks[task].title), 80),
            ]
        }
        var facts = [
            ("left", "\(TaskOutput.number(schedule.entries.count, "task")) of \(board.tasks.count), \(TaskOutput.work(schedule.effort)) of work"),
            ("critical path", "\(TaskOutput.number(schedule.criticalPath.count, "task")), \(TaskOutput.work(schedule.criticalHours))"),
        ]
        let who = schedule.workers.map { "with \(TaskOutput.number($0, "worker"))" } ?? "with as many workers as there is work for"
        facts.append(("finish", "after \(TaskOutput.work(schedule.finish)) \(who)"))
        if !schedule.guessed.isEmpty {
            let assumed = schedule.entries.count { $0.basis == .assumed }
            let shared = schedule.guessed.count - assumed
            let parts = [assumed > 0 ? "\(assumed) taken as \(defaultEstimate)" : nil, shared > 0 ? "\(shared) by their phase's estimate" : nil]
            facts.append(("guessed", "\(schedule.guessed.count) of \(schedule.entries.count) have no estimate of their own: \(parts.compactMap(\.self).joined(separator: ", "))"))
        }
        let head = facts.map { $0.0 + String(repeating: " ", count: 16 - $0.0.count) + $0.1 }.joined(separator: "\n")
        return head + "\n\n" + table(["CRITICAL", "TAKES", "FROM", "TO", "PHASE", "TITLE"], rows)
    }

    /// `~1h` where it is a guess.
    private static func shown(_ entry: TaskSchedule.Entry) -> String { (entry.basis == .estimate ? "" : "~") + TaskOutput.work(entry.hours) }

    private static func json(_ board: TaskBoard, _ schedule: TaskSchedule) -> JSONValue {
        let entries = Dictionary(schedule.entries.map { ($0.id, $0) }) { first, _ in first }
        let critical = Set(schedule.criticalPath)
        let tasks = board.tasks.indices.map { task -> JSONValue in
            let id = board.tasks[task].id
            var value: JSONValue = [
                "id": .string(id), "title": .string(board.tasks[task].title), "phase": board.tasks[task].phase.map(JSONValue.string) ?? .null,
                "state": .string(board.states[task].rawValue), "critical": .bool(critical.contains(id)),
                "waitsFor": .array(board.graph.predecessors(of: id).map { ["id": .string($0.id), "reason": .string($0.reason.rawValue)] }),
            ]
            if let entry = entries[id] {
                value["hours"] = TaskBoard.number(entry.hours)
                value["basis"] = .string(entry.basis.rawValue)
                value["start"] = TaskBoard.number(entry.start)
                value["finish"] = TaskBoard.number(entry.finish)
                value["slack"] = TaskBoard.number(entry.slack)
                if let worker = entry.worker { value["worker"] = .integer(Int64(worker)) }
            }
            return value
        }
        let ended = Set(board.tasks.indices.filter(board.hasEnded).map { board.tasks[$0].id })
        return [
            "title": .string(board.title), "origin": .string(board.origin), "workers": schedule.workers.map { .integer(Int64($0)) } ?? .null,
            "effortHours": TaskBoard.number(schedule.effort), "criticalHours": TaskBoard.number(schedule.criticalHours),
            "finishHours": TaskBoard.number(schedule.finish), "criticalPath": .array(schedule.criticalPath.map(JSONValue.string)),
            "guessed": .array(schedule.guessed.map(JSONValue.string)),
            "waves": .array(board.graph.waves { ended.contains($0) }.map { .array($0.map(JSONValue.string)) }),
            "phases": .array(board.phases.map(TaskBoard.json)), "tasks": .array(tasks),
        ]
    }
}
