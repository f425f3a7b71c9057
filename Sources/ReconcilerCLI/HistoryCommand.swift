import ArgumentParser
import ResourceModel
import Store

/// `reconciler history`: what was done, by whom, and what came of it. Needs neither repository nor cluster.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show the attempts to sync, newest first.",
        discussion: """
            Without a subcommand it lists: history [--app NAME] [--limit N] [--drift] [-o table|json|csv|yaml].
            """,
        subcommands: [HistoryListCommand.self, HistoryShowCommand.self, HistoryVerifyCommand.self], defaultSubcommand: HistoryListCommand.self)
}

/// `reconciler history list`, or just `reconciler history`: every attempt, newest first, or every drift.
struct HistoryListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the attempts, or the drift, newest first.")

    @Flag(help: "The fields that others changed: what, who, when, and what was done about it.")
    var drift = false
    @Option(name: .customLong("app"), help: "One application's.")
    var application: String?
    @Option(help: "How many.")
    var limit: Int = 20
    @OptionGroup var options: HistoryFileOptions
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: HistoryFormat = .table

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let history = try options.open()
            // A sync that was killed is told of at once, not by the next one only.
            try await history.recordInterrupted(of: application)
            if drift {
                HistoryOutput.list(try await history.drift(of: application, limit: limit), as: output)
            } else {
                HistoryOutput.list(try await history.attempts(of: application, limit: limit), as: output)
            }
            return 0
        }
    }
}

/// Where the history is.
struct HistoryFileOptions: ParsableArguments {
    @Option(name: .customLong("state-dir"), help: "State directory ($RECONCILER_STATE_DIR).")
    var stateDirectory: String?

    func open() throws -> HistoryStore {
        let state = StateDirectory.path(try stateDirectory ?? Settings.configuredStateDirectory())
        try Files.makeDirectory(state)
        return try HistoryStore(path: state + "/reconciler.db", readsBesideWrites: false)
    }
}

/// `-o` of `history`.
enum HistoryFormat: String, ExpressibleByArgument, CaseIterable { case table, json, csv, yaml }

/// `reconciler history show`: one attempt with its steps, refusals and warnings.
struct HistoryShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one attempt in full: steps, refusals, warnings.")

    @Argument(help: "The attempt's number.")
    var id: Int64
    @OptionGroup var options: HistoryFileOptions
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: HistoryFormat = .table

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            try HistoryOutput.show(try await Self.attempt(id, in: try options.open()), as: output)
            return 0
        }
    }

    static func attempt(_ id: Int64, in history: HistoryStore) async throws -> RecordedAttempt {
        guard let attempt = try await history.attempt(id) else {
            throw Problem(
                code: "history.unknown-attempt", message: "there is no attempt \(id) in the history",
                hint: "`reconciler history` lists those that there are; older ones may have been dropped")
        }
        return attempt
    }
}

/// `reconciler history verify`: exit 1 when a row is not as it was recorded.
struct HistoryVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check that no row of the history was changed, removed or inserted; exit 1 if one was.")

    @OptionGroup var options: HistoryFileOptions
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let found = try await options.open().verify()
            if output == .table { print(Self.text(found)) } else { Printing.print(Self.json(found), as: output) }
            return found.fault == nil ? 0 : 1
        }
    }

    private static func text(_ found: HistoryVerification) -> String {
        let rows = "\(found.attempts + found.events) rows (attempts: \(found.attempts), drift events: \(found.events))"
        var lines: [String] = []
        if let fault = found.fault {
            lines.append("\(fault.row) was \(fault.kind.rawValue) after it was recorded; \(rows) before it are as they were recorded")
        } else {
            lines.append("\(rows) checked: all are as they were recorded")
            lines.append("head \(found.head)")
        }
        if found.dropped > 0 { lines.append("\(found.dropped) older rows were dropped as the retention says") }
        if found.unchained > 0 { lines.append("\(found.unchained) attempts are from before there was a chain and cannot be checked") }
        return lines.joined(separator: "\n")
    }

    private static func json(_ found: HistoryVerification) -> JSONValue {
        var value: JSONValue = [
            "verified": .bool(found.fault == nil), "attempts": .integer(Int64(found.attempts)),
            "driftEvents": .integer(Int64(found.events)), "dropped": .integer(Int64(found.dropped)),
            "unchained": .integer(Int64(found.unchained)),
        ]
        if let fault = found.fault {
            value["fault"] = ["kind": .string(fault.kind.rawValue), "row": .string(fault.row)]
        } else {
            value["head"] = .string(found.head)
        }
        return value
    }
}
