import Applier
import ArgumentParser
import Desired
import Reconciler
import ResourceModel

/// `reconciler status`: all applications, or one with its resources.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Show all applications, or one with its resources.")

    @OptionGroup var target: TargetOptions
    @Option(name: .customLong("app"), help: "One application, with its resources.")
    var application: String?
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    private struct Line {
        var application: String
        var sync: SyncStatus
        var health: HealthAssessment
        var revision: String
        var resources: [Resource]
        var message: String
        var commit: Revision?
        var lastSync: SyncReport?
    }

    private struct Resource {
        var id: ResourceID
        var sync: String
        var health: HealthAssessment
    }

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            try await Target.with(target) { target in
                let catalog = try await target.catalog()
                for problem in catalog.problems { Terminal.error("\(problem.severity.rawValue): \(problem)") }
                let chosen = try application.map { [try catalog.application(named: $0)] } ?? catalog.applications
                var lines: [Line] = []
                for application in chosen { lines.append(await line(application, catalog, target)) }
                if application == nil {
                    for (name, problems) in catalog.rejected {
                        lines.append(unknown(name, problems.map(\.description).joined(separator: "\n")))
                    }
                    lines.sort { $0.application < $1.application }
                }
                show(lines)
                return lines.contains { $0.sync == .unknown } || !catalog.rejected.isEmpty ? 1 : 0
            }
        }
    }

    /// What is known of one application; a failure is shown in its line and keeps no other from being shown.
    private func line(_ application: Application, _ catalog: ApplicationCatalog, _ target: Target) async -> Line {
        do {
            let result = try await target.page.run(
                application, project: try target.project(of: application, in: catalog), request: SyncRequest(extent: .compare))
            var assessed: [ResourceID: HealthAssessment] = [:]
            for change in result.changes { assessed[change.id] = change.live.map { health(of: $0.body) } ?? HealthAssessment(.missing) }
            if self.application != nil { assessed = await target.page.applier.explained(assessed) }
            let resources = result.changes.map { change in
                Resource(
                    id: change.id, sync: change.action == .unchanged ? "Synced" : change.action == .prune ? "OutOfSync (prune)" : "OutOfSync",
                    health: assessed[change.id] ?? HealthAssessment(.missing))
            }
            let counted = Set(result.desired.manifests.filter { countsForHealth($0.body) }.map(\.id))
            let last = try await target.history.attempts(of: application.name, limit: 1).first?.report
            let revision = result.desired.revision
            // Why it is not as declared, where the last attempt at this very commit says it.
            let failure = last.flatMap {
                result.hasDifferences && $0.revision.commit == revision.commit && $0.conclusion != .succeeded ? "\($0.conclusion.rawValue): \(outcome($0))" : nil
            }
            return Line(
                application: application.name, sync: result.hasDifferences ? .outOfSync : .synced,
                health: aggregateHealth(resources.filter { counted.contains($0.id) }.map { ($0.id, $0.health) }), revision: revision.shortCommit,
                resources: resources.sorted { $0.id < $1.id }, message: held(result) ?? failure ?? revision.subject, commit: revision, lastSync: last)
        } catch {
            return unknown(application.name, "\(error)")
        }
    }

    /// Why what differs is not synced.
    private func held(_ result: Reconciliation) -> String? {
        guard let hold = result.hold, hold.covers(commit: result.desired.revision.commit, digest: result.desired.digest) else { return nil }
        let reason = hold.reason.map { ": \($0)" } ?? ""
        return "held since \(Clocks.text(Double(hold.since))) UTC at what attempt \(hold.attempt) applied, until a commit changes what is declared\(reason)"
    }

    private func unknown(_ name: String, _ message: String) -> Line {
        Line(application: name, sync: .unknown, health: HealthAssessment(.unknown), revision: "-", resources: [], message: message)
    }

    private func show(_ lines: [Line]) {
        if output != .table {
            let values = lines.map { line -> JSONValue in
                [
                    "application": .string(line.application), "sync": .string(line.sync.rawValue),
                    "health": ["status": .string(line.health.status.rawValue), "message": .string(line.health.message)],
                    "revision": .string(line.revision), "message": .string(line.message),
                    "commit": line.commit.map(json) ?? .null, "lastSync": line.lastSync.map(json) ?? .null,
                    "resources": .array(
                        line.resources.map {
                            ["object": json($0.id), "sync": .string($0.sync), "health": .string($0.health.status.rawValue), "message": .string($0.health.message)]
                        }),
                ]
            }
            Printing.print(.array(values), as: output)
            return
        }
        print(
            table(
                ["APPLICATION", "SYNC", "HEALTH", "REVISION", "RESOURCES", "MESSAGE"],
                lines.map { line in
                    [
                        line.application, line.sync.rawValue, line.health.status.rawValue, line.revision, "\(line.resources.count)",
                        firstLine(line.health.message.isEmpty ? line.message : line.health.message),
                    ]
                }))
        guard application != nil, let line = lines.first else { return }
        if let commit = line.commit {
            print("\ncommit     \(commit.shortCommit) \(commit.subject) (\(commit.author), \(Clocks.text(Double(commit.committedAt))) UTC)")
        }
        if let last = line.lastSync {
            print("last sync  \(last.conclusion.rawValue) at \(shownCommit(last.revision)), \(Clocks.text(last.startedAt)) UTC, \(seconds(last)) s (\(last.trigger)): \(outcome(last))")
        }
        guard !line.resources.isEmpty else { return }
        print("")
        print(table(["RESOURCE", "SYNC", "HEALTH", "MESSAGE"], line.resources.map { ["\($0.id)", $0.sync, $0.health.status.rawValue, $0.health.message] }))
    }
}
