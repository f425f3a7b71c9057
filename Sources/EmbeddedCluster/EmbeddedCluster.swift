import Glibc
import Logging
import ResourceModel
import ServiceLifecycle

/// A Kubernetes API server with its controllers in this process: objects in SQLite, served on loopback over TLS and on a Unix
/// socket.
package final class EmbeddedCluster: Service {
    /// Which controllers run.
    package struct Controllers: OptionSet, Sendable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }

        /// Namespaces and custom resource definitions: an API server is not whole without them.
        package static let api = Controllers([])
        /// Deletes dependents of deleted owners.
        /// Puts the root certificate into each namespace (`kube-root-ca.crt`).
        package static let rootCertificates = Controllers(rawValue: 4)
        package static let garbageCollection = Controllers(rawValue: 1)
        /// Deployments, ReplicaSets, Jobs, and pods that run.
        package static let workloads = Controllers(rawValue: 2)
        package static let all: Controllers = [.garbageCollection, .workloads, .rootCertificates]
    }

    /// Path of a kubeconfig (mode 0600) for this cluster.
    package let kubeconfig: String
    /// `https://127.0.0.1:PORT`.
    package let server: String
    package let apiServer: APIServer
    private let files: ClusterFiles
    private let lock: DirectoryLock
    private let listener: ClusterListener
    private let tasks: [Task<Void, Never>]
    private let workloads: WorkloadControllers?

    /// Opens or makes the cluster of a directory and serves it; returns when it takes requests.
    ///
    /// - Parameters:
    ///   - directory: absolute; made if missing. One process at a time can have it open.
    ///   - port: 0: the one it had before if that is free, else any.
    /// - Throws: `ClusterError` with what to do about it.
    package static func start(
        directory: String, port: Int = 0, controllers: Controllers = .all, workloads: WorkloadConfiguration = WorkloadConfiguration(),
        logger: Logger = Logger(label: "cluster")
    ) async throws -> EmbeddedCluster {
        let files = ClusterFiles(directory: directory)
        try files.make()
        let lock = try DirectoryLock(files)
        do {
            return try await EmbeddedCluster(
                files: files, lock: lock, port: port, controllers: controllers, workloads: workloads, logger: logger)
        } catch {
            lock.release()
            throw error
        }
    }

    private init(
        files: ClusterFiles, lock: DirectoryLock, port: Int, controllers: Controllers, workloads configuration: WorkloadConfiguration,
        logger: Logger
    ) async throws {
        self.files = files
        self.lock = lock
        kubeconfig = files.kubeconfig
        let credentials = try Credentials(in: files)
        let store = try ObjectStore(path: files.database)
        apiServer = APIServer(
            store: store, catalog: ResourceCatalog(),
            podLogs: controllers.contains(.workloads) ? PodFileLogs(root: files.directory + "/pods") : nil, logger: logger)
        let definitions = CustomResourceController(
            client: LocalClient(server: apiServer, name: "kube-apiserver"), logger: logger)
        try definitions.registerEstablished()
        let socket = files.makeWayForSocket()
        let before = port == 0 ? try Self.lastPort(files) : nil
        do {
            listener = try await ClusterListener.start(
                apiServer, credentials: credentials, port: before ?? port, socket: socket, logger: logger)
        } catch {
            guard before != nil else {
                throw ClusterError(
                    code: "cluster.start", message: "the API server cannot listen on 127.0.0.1:\(port): \(error). Choose another --port.")
            }
            listener = try await ClusterListener.start(apiServer, credentials: credentials, port: 0, socket: socket, logger: logger)
        }
        let address = "127.0.0.1:\(listener.port)"
        server = "https://" + address
        apiServer.address.withLock { $0 = address }
        try await Bootstrap(server: apiServer, port: listener.port).run()
        let namespaces = NamespaceController(
            client: LocalClient(server: apiServer, name: "kube-controller-manager"), rootCertificate: controllers.contains(.rootCertificates) ? credentials.authority : nil, logger: logger)
        var tasks = [Task { await namespaces.run() }, Task { await definitions.run() }]
        if controllers.contains(.garbageCollection) {
            let collector = GarbageCollector(client: LocalClient(server: apiServer, name: "kube-controller-manager"), logger: logger)
            tasks.append(Task { await collector.run() })
        }
        if controllers.contains(.workloads) {
            let workloads = try WorkloadControllers(
                client: LocalClient(server: apiServer, name: "kube-controller-manager"), directory: files.directory,
                configuration: configuration, logger: logger)
            tasks.append(Task { await workloads.runUntilStopped() })
            self.workloads = workloads
        } else {
            workloads = nil
        }
        self.tasks = tasks
        try ClusterFiles.write(credentials.kubeconfig(server: server, socket: socket), to: files.kubeconfig)
        let running: JSONValue = ["pid": .integer(Int64(getpid())), "server": .string(server), "port": .integer(Int64(listener.port))]
        try ClusterFiles.write(running.jsonString + "\n", to: files.running)
    }

    private static func lastPort(_ files: ClusterFiles) throws -> Int? {
        guard let bytes = try ClusterFiles.read(files.running) else { return nil }
        return try JSONValue(parsing: bytes)["port"]?.integerValue.map(Int.init)
    }

    /// Serves until graceful shutdown, then stops.
    package func run() async throws {
        try await gracefulShutdown()
        try await stop()
    }

    /// Ends requests and controllers, commits what is queued and releases the directory.
    package func stop() async throws {
        await workloads?.stop()
        for task in tasks { task.cancel() }
        apiServer.store.endWatches()
        await listener.stop()
        for task in tasks { await task.value }
        try await apiServer.store.close()
        lock.release()
    }

    /// Ends all watches that are under way, as a server does that is about to stop.
    package func endWatches() { apiServer.store.endWatches() }

    /// The API in process, for controllers that live in other targets.
    package func client(name: String) -> LocalClient { LocalClient(server: apiServer, name: name) }
}
