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
                for problem in catalog.problems { Terminal.error("\(problem)") }
                let chosen = try application.map { [try catalog.application(named: $0)] } ?? catalog.applications
                var lines: [Line] = []
                for application in chosen { lines.append(await line(application, catalog, target)) }
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
            let resources = result.changes.map { change in
                Resource(
                    id: change.id, sync: change.action == .unchanged ? "Synced" : change.action == .prune ? "OutOfSync (prune)" : "OutOfSync",
                    health: change.live.map { health(of: $0.body) } ?? HealthAssessment(.missing))
            }
            let declared = resources.filter { $0.sync != "OutOfSync (prune)" }
            return Line(
                application: application.name, sync: result.hasDifferences ? .outOfSync : .synced,
                health: aggregateHealth(declared.map { ($0.id, $0.health) }), revision: result.desired.revision.shortCommit,
                resources: resources.sorted { $0.id < $1.id }, message: result.desired.revision.subject)
        } catch {
            return Line(
                application: application.name, sync: .unknown, health: HealthAssessment(.unknown), revision: "-", resources: [], message: "\(error)")
        }
    }

    private func show(_ lines: [Line]) {
        if output != .table {
            let values = lines.map { line -> JSONValue in
                [
                    "application": .string(line.application), "sync": .string(line.sync.rawValue),
                    "health": ["status": .string(line.health.status.rawValue), "message": .string(line.health.message)],
                    "revision": .string(line.revision), "message": .string(line.message),
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
                        line.health.message.isEmpty ? line.message : line.health.message,
                    ]
                }))
        guard application != nil, let line = lines.first else { return }
        print("")
        print(table(["RESOURCE", "SYNC", "HEALTH", "MESSAGE"], line.resources.map { ["\($0.id)", $0.sync, $0.health.status.rawValue, $0.health.message] }))
    }
}
