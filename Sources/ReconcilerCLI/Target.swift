import Applier
import ArgumentParser
import Desired
import EmbeddedCluster
import Git
import Glibc
import KubernetesClient
import Logging
import Reconciler
import ResourceModel
import Store
import SystemPackage
import TaskModel
import Tasks

/// Which repository, which cluster: the options of every command that reaches them.
struct TargetOptions: ParsableArguments {
    @Option(help: "The Git repository that declares the applications ($RECONCILER_REPO).")
    var repo: String?
    @Option(help: "Its branch ($RECONCILER_BRANCH; default: main).")
    var branch: String?
    @Option(help: "Where in it the applications are looked for ($RECONCILER_PATH; default: environments).")
    var path: String?
    @OptionGroup var cluster: ClusterOptions
}

/// Which cluster, and where what is kept on this machine lies.
struct ClusterOptions: ParsableArguments {
    @Option(help: "kubeconfig of the cluster (default: $KUBECONFIG, the pod's account, else the embedded cluster).")
    var kubeconfig: String?
    @Option(help: "Context of the kubeconfig.")
    var context: String?
    @Option(help: "Seconds that one request to the API server may take ($RECONCILER_REQUEST_TIMEOUT; default: 60).")
    var requestTimeout: Int?
    @Option(name: .customLong("state-dir"), help: "State directory ($RECONCILER_STATE_DIR).")
    var stateDirectory: String?
    @Option(help: "Configuration file (default: reconciler.yaml in the current directory, if there is one).")
    var config: String?
}

/// Which applications.
struct SelectionOptions: ParsableArguments {
    @Option(name: .customLong("app"), help: "An application's name; repeatable.")
    var applications: [String] = []
    @Option(name: [.customShort("l"), .customLong("selector")], help: "Applications whose labels match, as key=value,key!=value.")
    var selector: String?
    @Flag(help: "All applications.")
    var all = false

    /// - Throws: `UsageError` when no application is named. Not `validate`, which would hide a misspelt option.
    func check() throws {
        guard !applications.isEmpty || selector != nil || all else {
            throw UsageError("say which applications: --app NAME, -l SELECTOR or --all")
        }
    }

    /// - Throws: `Problems` when a name is not declared, or nothing matches.
    func applications(in catalog: ApplicationCatalog) throws -> [Application] {
        let labels: LabelSelector
        do { labels = try LabelSelector(parsing: selector ?? "") } catch { throw UsageError("-l `\(selector ?? "")`: \(error)") }
        var chosen: [Application] = []
        for name in applications { chosen.append(try catalog.application(named: name)) }
        if all || selector != nil {
            // "All" must not quietly mean "those that could be read".
            let errors = catalog.problems.filter { $0.severity == .error }
            if !errors.isEmpty { throw Problems(errors) }
            chosen += catalog.applications.filter { application in
                !applications.contains(application.name) && labels.matches(.object(JSONObject(application.labels.map { .init(key: $0.key, value: .string($0.value)) })))
            }
        }
        guard !chosen.isEmpty else {
            throw Problem(
                code: "application.none-selected", message: "no application matches `\(selector ?? "")`",
                hint: "there are: \(catalog.applications.map(\.name).joined(separator: ", "))")
        }
        return chosen
    }
}

/// Everything that a command works with: the composition root.
struct Target {
    let page: ReconcileOnce
    let builder: DesiredStateBuilder
    let client: KubernetesClient
    let history: HistoryStore
    let logger: Logger
    /// What `--local` names.
    let files: LocalFiles?
    /// What drives tasks beside the syncs; only in a process that stays up.
    let taskService: TaskService?
    private let fetching: Task<Revision, any Error>?
    private let cluster: EmbeddedCluster?

    /// Opens what the options name, runs `body`, and closes it again; an embedded cluster that was started for it is stopped.
    /// - Parameter staysUp: whether tasks are driven beside the syncs by `taskService`, not by each sync itself.
    static func with<Result>(
        _ options: TargetOptions, keeping: WriterOptions? = nil, local: String? = nil, staysUp: Bool = false, _ body: (Target) async throws -> Result
    ) async throws -> Result {
        let logger = Log.logger("reconciler")
        var settings = try Settings(options, keeping)
        let files = try local.map { try LocalFiles($0, path: settings.path) }
        settings.repository = settings.repository ?? files?.url
        let state = StateDirectory.path(options.cluster.stateDirectory ?? settings.stateDirectory)
        // What the command line lacks is told before anything is opened or started.
        let desired = try settings.desired(mirrors: FilePath(state + "/mirrors"))
        try Files.makeDirectory(state)
        let renders = RenderFiles(directory: FilePath(state + "/renders"), tools: desired.tools)
        let builder = DesiredStateBuilder(desired, cache: RenderCache(files: renders), logger: logger)
        // Git is asked while the rest is opened; a command that does not want the branch leaves the answer alone.
        let fetching = files == nil ? Task { try await builder.fetchConfiguration() } : nil
        defer { fetching?.cancel() }
        let (access, cluster) = try await clusterAccess(options.cluster, settings, state: state, logger: logger)
        let client = KubernetesClient(access: access, requestDeadline: settings.requestTimeout, logger: logger)
        // The cluster tells its kinds while Git is asked for the branch; what goes wrong here goes wrong again where it is needed.
        Task { _ = try? await client.apiResources() }
        // Both are on their way before this thread is kept by what follows.
        await Task.yield()
        do {
            let locks = state + "/locks"
            try Files.makeDirectory(locks)
            let history = try HistoryStore(path: state + "/reconciler.db", retention: settings.retention, readsBesideWrites: staysUp)
            let operation = TaskOperation(client: client, history: history, state: state, logger: logger, policy: try settings.policyOfTasks())
            let service = staysUp ? TaskService(operation: operation, logger: logger) : nil
            let page = ReconcileOnce(
                builder: builder, applier: Applier(client: client, logger: logger, definitions: TaskDefinitions.all), history: history,
                leasing: LeaseOptions(locks: locks, wait: settings.leaseWait, duration: settings.leaseDuration),
                tasks: service.map { operation.backgroundHook(builder, $0) } ?? operation.inlineHook(builder, files: files), now: Clocks.now)
            let target = Target(
                page: page, builder: builder, client: client, history: history, logger: logger, files: files, taskService: service, fetching: fetching,
                cluster: cluster)
            leaveToTheEnd(target)  // every command ends with it
            let result = try await body(target)
            async let checkpoint: Void = history.checkpoint()
            await builder.cache.finishStoring()
            await checkpoint
            client.shutDown()
            try await cluster?.stop()
            return result
        } catch {
            client.shutDown()
            do { try await cluster?.stop() } catch let second { logger.error("the embedded cluster did not stop: \(second)") }
            throw error
        }
    }

    /// Reaches the cluster alone: no repository is needed, and none is asked.
    /// - Parameter body: gets the client and the state directory.
    static func withCluster<Result>(_ options: ClusterOptions, _ body: (KubernetesClient, String) async throws -> Result) async throws -> Result {
        let logger = Log.logger("reconciler")
        let settings = try Settings(options)
        let state = StateDirectory.path(options.stateDirectory ?? settings.stateDirectory)
        try Files.makeDirectory(state)
        let (access, cluster) = try await clusterAccess(options, settings, state: state, logger: logger)
        let client = KubernetesClient(access: access, requestDeadline: settings.requestTimeout, logger: logger)
        do {
            let result = try await body(client, state)
            client.shutDown()
            try await cluster?.stop()
            return result
        } catch {
            client.shutDown()
            do { try await cluster?.stop() } catch let second { logger.error("the embedded cluster did not stop: \(second)") }
            throw error
        }
    }

    /// `--kubeconfig`, `$KUBECONFIG`, in-cluster credentials, else the embedded cluster; never `~/.kube/config` unasked.
    private static func clusterAccess(
        _ options: ClusterOptions, _ settings: Settings, state: String, logger: Logger
    ) async throws -> (ClusterAccess, EmbeddedCluster?) {
        var environment: [String: String] = [:]
        for name in ["KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "PATH"] {
            environment[name] = Environment.value(name)
        }
        let kubeconfig = options.kubeconfig ?? settings.kubeconfig
        if let access = try ClusterAccess.discover(kubeconfig: kubeconfig, context: options.context, environment: environment) {
            return (access, nil)
        }
        let files = ClusterFiles(directory: state + "/cluster")
        if try RunningCluster(files) != nil, let access = try ClusterAccess.discover(kubeconfig: files.kubeconfig, environment: [:]) {
            return (access, nil)
        }
        let cluster = try await EmbeddedCluster.start(directory: files.directory, logger: logger)
        guard let access = try ClusterAccess.discover(kubeconfig: cluster.kubeconfig, environment: [:]) else {
            throw Problem(code: "cluster.no-kubeconfig", message: "the embedded cluster wrote no kubeconfig to \(cluster.kubeconfig)")
        }
        return (access, cluster)
    }

    /// The applications that the branch declared when the command began, or those of `--local`.
    func catalog() async throws -> ApplicationCatalog {
        if let files { return try await files.catalog() }
        let revision = if let fetching { try await fetching.value } else { try await builder.fetchConfiguration() }
        return try await builder.applications(at: revision)
    }

    func project(of application: Application, in catalog: ApplicationCatalog) throws -> AppProject {
        guard let project = catalog.project(named: application.project) else {
            throw Problem(
                code: "project.not-found", message: "Application \(application.name): there is no project `\(application.project)`",
                location: application.location, hint: "declare an AppProject of that name, or use `default`")
        }
        return project
    }
}
