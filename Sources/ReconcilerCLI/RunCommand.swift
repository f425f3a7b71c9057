import ArgumentParser
import Logging
import Reconciler
import ServiceLifecycle

/// `reconciler run`: stay up, follow the branch, heal drift.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Keep syncing: follow the branch, heal drift, until stopped.")

    @OptionGroup var target: TargetOptions
    @Option(help: "Seconds between two looks at the branch.")
    var interval: Int = 10
    @OptionGroup var writer: WriterOptions

    func run() async throws {
        Log.bootstrap(default: .info)
        try await exiting {
            try await Target.with(target, keeping: writer, staysUp: true) { target in
                let printer = EventPrinter(asJSON: false)
                let loop = ReconcileLoop(
                    page: target.page, interval: .seconds(max(1, interval)), logger: target.logger, onEvent: printer.print)
                let services: [any Service] = [loop] + (target.taskService.map { [$0] } ?? [])
                try await ServiceGroup(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: target.logger).run()
                return 0
            }
        }
    }
}
