import ArgumentParser
import ResourceModel
import Store

/// `reconciler history`: every attempt, newest first. Needs neither repository nor cluster.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "history", abstract: "Show the attempts to sync, newest first.")

    @Option(name: .customLong("app"), help: "One application's.")
    var application: String?
    @Option(help: "How many.")
    var limit: Int = 20
    @Option(name: .customLong("state-dir"), help: "State directory ($RECONCILER_STATE_DIR).")
    var stateDirectory: String?
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let state = StateDirectory.path(stateDirectory)
            try Files.makeDirectory(state)
            let attempts = try await HistoryStore(path: state + "/reconciler.db").attempts(of: application, limit: limit)
            if output != .table {
                Printing.print(
                    .array(
                        attempts.map { id, report in
                            var value = json(report)
                            value["id"] = .integer(id)
                            return value
                        }), as: output)
                return 0
            }
            print(
                table(
                    ["ID", "STARTED (UTC)", "APPLICATION", "REVISION", "AUTHOR", "COMMIT", "TRIGGER", "CONCLUSION", "WRITES", "SECONDS", "MESSAGE"],
                    attempts.map { id, report in
                        return [
                            "\(id)", Clocks.text(report.startedAt), report.application, report.revision.shortCommit, authorName(report.revision),
                            cut(report.revision.subject, 50), report.trigger,
                            report.conclusion.rawValue, "\(report.steps.count)", seconds(report), firstLine(outcome(report)),
                        ]
                    }))
            return 0
        }
    }
}
