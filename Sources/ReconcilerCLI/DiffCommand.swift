import ArgumentParser
import Reconciler
import ResourceModel

/// `reconciler diff`: what a sync would change, field by field. Exit 2 when there is anything.
struct DiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "diff", abstract: "Show what differs, field by field; exit 2 if anything does.")

    @OptionGroup var target: TargetOptions
    @OptionGroup var selection: SelectionOptions
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            try selection.check()
            return try await Target.with(target) { target in
                if let first = selection.applications.first { target.page.observeAhead(application: first) }
                let catalog = try await target.catalog()
                var results: [JSONValue] = []
                var hasDifferences = false
                for application in try selection.applications(in: catalog) {
                    let result = try await target.page.run(
                        application, project: try target.project(of: application, in: catalog), request: SyncRequest(extent: .compare))
                    hasDifferences = hasDifferences || result.hasDifferences
                    let changes = result.changes.filter { $0.action != .unchanged }
                    if output == .table {
                        for change in changes { print(Self.text(change)) }
                    }
                    results.append(["application": .string(application.name), "changes": .array(changes.map(json))])
                }
                if output != .table { Printing.print(.array(results), as: output) }
                return hasDifferences ? 2 : 0
            }
        }
    }

    static func text(_ change: Change) -> String {
        var lines = ["\(word(change.action)) \(change.id)" + (change.manifest.map { "  (\($0.source))" } ?? "")]
        for field in change.fields {
            let owner = field.manager.map { "  [\($0)]" } ?? ""
            lines.append("  \(field.path): \(shown(field.before, secret: field.isSecret)) -> \(shown(field.after, secret: field.isSecret))\(owner)")
        }
        return lines.joined(separator: "\n")
    }
}
