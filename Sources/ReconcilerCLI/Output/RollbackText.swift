import Desired
import Git
import ResourceModel

/// What a person sees of a revert.
struct RollbackText {
    let plan: RevertPlan

    var nothingToDo: String {
        "\(plan.application): the inputs are already as they were at \(plan.target.shortCommit) (\(plan.target.subject)); no commit is needed"
    }

    /// The commit's message, how much changes in which file, and the diff.
    var preview: String {
        var lines = ["would push to \(plan.branch) of \(plan.repository), on \(plan.head.shortCommit):", ""]
        lines += plan.message.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "    \($0)" }
        lines.append(summary)
        if !plan.others.isEmpty { lines.append("moves too: \(plan.others.joined(separator: ", "))") }
        lines.append("")
        lines += plan.files.map { shown($0) }
        return lines.joined(separator: "\n")
    }

    var pushed: String {
        guard let commit = plan.commit else { return nothingToDo }
        var lines = ["\(plan.application): \(commit.shortCommit) \(commit.subject) (\(authorName(commit))), pushed to \(plan.branch)", summary]
        lines += plan.undone.map { "  undone \($0.shortCommit) \($0.subject) (\(authorName($0)))" }
        if !plan.others.isEmpty { lines.append("  moves too: \(plan.others.joined(separator: ", "))") }
        return lines.joined(separator: "\n")
    }

    private var summary: String {
        let rows = plan.files.map { "  \($0.path)  +\($0.added) -\($0.removed)" }
        return rows.joined(separator: "\n")
    }

    /// A file that declares a Secret is counted, and not shown.
    private func shown(_ file: FilePatch) -> String {
        guard holdsSecret(file) else { return file.text.hasSuffix("\n") ? String(file.text.dropLast()) : file.text }
        let head = file.text.split(separator: "\n", omittingEmptySubsequences: false).prefix { !$0.hasPrefix("@@") }
        return (head + ["(holds a Secret: \(file.added) lines added, \(file.removed) removed)"]).joined(separator: "\n")
    }

    private func holdsSecret(_ file: FilePatch) -> Bool { plan.secretFiles.contains(file.path) }

    func json(isPushed: Bool, report: SyncReport?) -> JSONValue {
        var value: JSONValue = [
            "application": .string(plan.application), "repository": .string(plan.repository), "branch": .string(plan.branch),
            "head": ReconcilerCLI.json(plan.head), "target": ReconcilerCLI.json(plan.target), "commit": plan.commit.map(ReconcilerCLI.json) ?? .null,
            "message": .string(plan.message), "pushed": .bool(isPushed),
            "files": .array(
                plan.files.map {
                    ["path": .string($0.path), "added": .integer(Int64($0.added)), "removed": .integer(Int64($0.removed)), "diff": .string(shown($0))]
                }),
            "undone": .array(plan.undone.map(ReconcilerCLI.json)), "others": .array(plan.others.map { .string($0) }),
            "notes": .array(plan.notes.map { .string($0) }),
        ]
        if let report { value["sync"] = ReconcilerCLI.json(report) }
        return value
    }
}
