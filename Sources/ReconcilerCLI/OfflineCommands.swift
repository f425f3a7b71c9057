import Applier
import ArgumentParser
import Desired
import ResourceModel
import SystemPackage
import YAML

/// `reconciler render`: what an application or a directory declares, as YAML. Offline.
struct RenderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render", abstract: "Print what an application, or a directory, declares. Needs no cluster and no network.")

    @Argument(help: "A directory: a repository's work tree (with --app), or one source.")
    var directory: String = "."
    @Option(name: .customLong("app"), help: "An application declared below the directory.")
    var application: String?
    @Option(help: "Namespace of objects that name none, for a directory without --app.")
    var namespace: String?
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .yaml

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let repository = try OfflineRepository(directory: FilePath(directory))
            let state: DesiredState
            if let application {
                state = try await repository.desiredState(of: try await repository.applications().application(named: application))
            } else {
                state = try await repository.desiredState(ofPath: repository.path, name: "render", namespace: namespace)
            }
            for warning in state.warnings { Terminal.error("warning: \(warning)") }
            switch output {
            case .table: print(table(["OBJECT", "SOURCE"], state.manifests.map { ["\($0.id)", "\($0.source)"] }))
            case .json: print(JSONValue.array(state.manifests.map(\.body)).jsonString)
            case .yaml: print(YAML.string(documents: state.manifests.map(\.body)), terminator: "")
            }
            return 0
        }
    }
}

/// `reconciler validate`: everything that is wrong with a repository, each with file and line. Offline.
struct ValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "validate", abstract: "Check a repository; name every problem with file and line.")

    @Argument(help: "The repository's work tree, or a directory in it.")
    var directory: String = "."

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let problems = try await OfflineRepository(directory: FilePath(directory)).validate()
            for problem in problems { print("\(problem.severity.rawValue): \(problem)") }
            let errors = problems.filter { $0.severity == .error }.count
            Terminal.error(errors == 0 ? "no errors" : "\(errors) errors")
            return errors == 0 ? 0 : 1
        }
    }
}

/// `reconciler health -f FILE`: the health of objects in a file, as a sync would judge it. Offline.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "health", abstract: "Judge the health of objects in a file (as `kubectl get -o yaml` writes).")

    @Option(name: .shortAndLong, help: "YAML or JSON; `-` for standard input.")
    var file: String
    @Option(name: .shortAndLong, help: "Format of the result.")
    var output: OutputFormat = .table

    func run() async throws {
        Log.bootstrap()
        try await exiting {
            let bytes = try Files.read(file == "-" ? "/dev/stdin" : file)
            let objects = try YAML.documents(in: bytes, path: file).flatMap { document -> [JSONValue] in
                document.value["kind"]?.stringValue?.hasSuffix("List") == true ? document.value["items"]?.arrayValue ?? [] : [document.value]
            }
            let results = objects.map { object in
                let kind = object["kind"]?.stringValue ?? ""
                let id = ResourceID(
                    group: GroupVersionKind(apiVersion: object["apiVersion"]?.stringValue ?? "", kind: kind).group, kind: kind,
                    namespace: object[path: "metadata", "namespace"]?.stringValue, name: object[path: "metadata", "name"]?.stringValue ?? "")
                return (id: id, health: health(of: object))
            }
            if output == .table {
                print(table(["RESOURCE", "HEALTH", "MESSAGE"], results.map { ["\($0.id)", $0.health.status.rawValue, $0.health.message] }))
            } else {
                Printing.print(
                    .array(results.map { ["object": json($0.id), "health": .string($0.health.status.rawValue), "message": .string($0.health.message)] }),
                    as: output)
            }
            let worst = aggregateHealth(results.map { ($0.id, $0.health) }).status
            return worst == .healthy || worst == .suspended ? 0 : 1
        }
    }
}
