import Applier
import ArgumentParser
import Reconciler
import ResourceModel

/// `reconciler wait`: until applications are healthy, by watches.
struct WaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "wait", abstract: "Wait until applications are healthy; exit 1 if they do not become so.")

    @OptionGroup var target: TargetOptions
    @OptionGroup var selection: SelectionOptions
    @Option(help: "Seconds to wait at most, for each application.")
    var timeout: Int = 300

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            try selection.check()
            return try await Target.with(target) { target in
                let catalog = try await target.catalog()
                var code: Int32 = 0
                for application in try selection.applications(in: catalog) {
                    let state = try await target.page.run(
                        application, project: try target.project(of: application, in: catalog), request: SyncRequest(extent: .compare))
                    let health = try await target.page.applier.waitForHealth(
                        of: state.desired.manifests.filter { countsForHealth($0.body) }.map(\.id), versions: state.desired.versions, timeout: .seconds(timeout)) { _ in }
                    let unhealthy = health.filter { $0.value.status != .healthy && $0.value.status != .suspended }
                    for (id, assessment) in unhealthy.sorted(by: { $0.key < $1.key }) {
                        print("\(application.name): \(id) \(assessment.status.rawValue) \(assessment.message)")
                    }
                    print("\(application.name): \(unhealthy.isEmpty ? "Healthy" : unhealthy.allSatisfy { $0.value.status == .degraded } ? "Degraded" : "not healthy within \(timeout) s")")
                    if !unhealthy.isEmpty { code = 1 }
                }
                return code
            }
        }
    }
}
