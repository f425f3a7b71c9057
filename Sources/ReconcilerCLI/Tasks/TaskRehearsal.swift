import ResourceModel
import TaskModel
import Tasks

/// What a run would do: each command as it would be run, in order, with what the policy and the tools say. Runs nothing.
struct TaskRehearsal {
    let board: TaskBoard
    let chosen: [Int]?
    let policy: TaskPolicy
    let variables: [String: String]
    let root: String
    /// For documents, which say nothing of how they are run.
    let run: TaskRun?
    let namespace: String

    private struct Row {
        var task: DeclaredTask
        var note: String
        var commands: [String] = []
        var refusal: TaskRefusal?
        var checks: [TaskCheck] = []
    }

    /// - Returns: the exit code: 3 when something would be refused, else 0.
    func show(as output: OutputFormat) async -> Int32 {
        let rows = await rows()
        if output == .table {
            print(rows.isEmpty ? "nothing is left to do" : rows.map(Self.text).joined(separator: "\n"))
        } else {
            Printing.print(.array(rows.map(Self.json)), as: output)
        }
        return rows.contains { $0.refusal != nil } ? 3 : 0
    }

    private func rows() async -> [Row] {
        let wanted = chosen.map(Set.init)
        var rows: [Row] = []
        for id in board.graph.order {
            guard let index = board.graph.place(of: id), wanted?.contains(index) ?? true else { continue }
            if board.hasEnded(index) { continue }
            let task = board.tasks[index]
            var row = Row(task: task, note: "")
            if task.commands.isEmpty {
                row.note = "by hand"
            } else {
                let record = TaskRecord(
                    spec: TaskSpec(list: "", index: index, task: task, run: run ?? board.runs[index]), name: "", namespace: namespace)
                let preparation = TaskPreparation(record: record, root: root, policy: policy, variables: variables)
                row.commands = preparation.commands.map(\.text)
                if case .failure(let refusal) = preparation.attempt() { row.refusal = refusal }
                if record.spec.run.needsApproval, board.statuses[index].approvedBy == nil { row.note = "needs approval" }
                let environment = ProcessTaskRunner.ownEnvironment.merging(record.spec.run.environment) { _, declared in declared }
                let checks = TaskChecks(environment: environment, workingDirectory: preparation.workingDirectory)
                if record.spec.run.runner == .process { row.checks = await checks.checks(of: row.commands) }
            }
            rows.append(row)
        }
        return rows
    }

    private static func text(_ row: Row) -> String {
        var lines = ["\(row.task.id)  \(row.task.title)" + (row.note.isEmpty ? "" : "  (\(row.note))")]
        lines += row.commands.map { "    $ \($0)" }
        lines += row.checks.flatMap { check in
            let found = check.version ?? check.path
            let told = check.touches + (check.writes == false ? ["only reads"] : [])
            let facts = [found.map { "\(check.tool): \($0)" } ?? check.tool] + told
            return ["      " + facts.joined(separator: "; ")] + check.problems.map { "      problem: \($0)" }
        }
        if let refusal = row.refusal { lines.append("    refused: \(refusal.message)") }
        return lines.joined(separator: "\n")
    }

    private static func json(_ row: Row) -> JSONValue {
        [
            "id": .string(row.task.id), "title": .string(row.task.title), "note": row.note.isEmpty ? .null : .string(row.note),
            "commands": .array(row.commands.map(JSONValue.string)), "checks": .array(row.checks.map(Self.json)),
            "refusal": row.refusal.map { ["reason": .string($0.reason), "message": .string($0.message)] } ?? .null,
        ]
    }

    private static func json(_ check: TaskCheck) -> JSONValue {
        [
            "tool": .string(check.tool), "command": .string(check.command), "path": check.path.map(JSONValue.string) ?? .null,
            "version": check.version.map(JSONValue.string) ?? .null, "touches": .array(check.touches.map(JSONValue.string)),
            "writes": check.writes.map(JSONValue.bool) ?? .null, "problems": .array(check.problems.map(JSONValue.string)),
        ]
    }
}
