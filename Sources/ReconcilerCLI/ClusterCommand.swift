import ArgumentParser
import EmbeddedCluster
import Glibc
import Logging
import ResourceModel
import ServiceLifecycle

/// `reconciler cluster`: the embedded cluster.
struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Start, stop and reach the embedded cluster.",
        subcommands: [Start.self, PrintKubeconfig.self, Status.self, Stop.self])

    /// The option that all of them have.
    struct Options: ParsableArguments {
        @Option(name: .customLong("state-dir"), help: "State directory (default: $RECONCILER_STATE_DIR, else the user's).")
        var stateDirectory: String?

        var files: ClusterFiles { ClusterFiles(directory: StateDirectory.path(stateDirectory) + "/cluster") }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "start", abstract: "Serve the cluster until interrupted; prints the kubeconfig's path.")

        @OptionGroup var options: Options
        @Option(help: "Port on 127.0.0.1 (default: the one it had before, else any).")
        var port: Int = 0
        @Flag(help: ArgumentHelp("Run no workloads and no garbage collection: objects stay as they were written.", visibility: .hidden))
        var apiOnly = false
        @Flag(help: "Leave the pods' processes running when the cluster stops; its next start finds them again.")
        var keepPods = false

        func validate() throws {
            guard (0...65535).contains(port) else { throw ValidationError("--port \(port): a port is a number from 1 to 65535.") }
        }

        func run() async throws {
            let level = Environment.value("RECONCILER_LOG_LEVEL").flatMap { Logger.Level(rawValue: $0) } ?? .warning
            LoggingSystem.bootstrap { label in
                var handler = StreamLogHandler.standardError(label: label)
                handler.logLevel = level
                return handler
            }
            let logger = Logger(label: "cluster")
            var workloads = WorkloadConfiguration()
            workloads.keepsProcesses = keepPods
            let cluster = try await EmbeddedCluster.start(
                directory: options.files.directory, port: port, controllers: apiOnly ? .api : .all, workloads: workloads, logger: logger)
            print(cluster.kubeconfig)
            fflush(nil)
            try await ServiceGroup(services: [cluster], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger).run()
        }
    }

    struct PrintKubeconfig: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "kubeconfig", abstract: "Print the path of a kubeconfig for the cluster.")

        @OptionGroup var options: Options

        func run() async throws {
            let path = options.files.kubeconfig
            guard try ClusterFiles.read(path) != nil else {
                throw ClusterError(
                    code: "cluster.missing", message: "there is no cluster in \(options.files.directory). Start it with `reconciler cluster start`.")
            }
            print(path)
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "Say whether the cluster is running, and where.")

        @OptionGroup var options: Options

        func run() async throws {
            guard let running = try RunningCluster(options.files) else {
                print("stopped (\(options.files.directory))")
                throw ExitCode(1)
            }
            print("running, pid \(running.process), \(running.server)")
        }
    }

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "stop", abstract: "Stop the cluster; its objects are kept.")

        @OptionGroup var options: Options

        func run() async throws {
            guard let running = try RunningCluster(options.files) else {
                print("stopped already")
                return
            }
            try running.stop(within: .seconds(15))
            print("stopped")
        }
    }
}

/// The state directory of DESIGN 7.
enum StateDirectory {
    static func path(_ option: String?) -> String {
        if let path = option ?? Environment.value("RECONCILER_STATE_DIR") { return absolute(path) }
        if let base = Environment.value("XDG_STATE_HOME") { return absolute(base) + "/reconciler" }
        if getuid() == 0 { return "/var/lib/reconciler" }
        return (Environment.value("HOME") ?? "") + "/.local/state/reconciler"
    }

    private static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let current = getcwd(nil, 0) else { return path }
        defer { free(current) }
        return String(cString: current) + "/" + path
    }
}

/// The process's environment.
enum Environment {
    /// `nil` when the variable is not set or empty.
    static func value(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }
}
