import HTTPTransport
import ResourceModel

extension KubernetesClient {
    /// Watches a kind in one namespace, or (with `nil`) in all of them.
    ///
    /// Goes on over new connections from the last version seen when the server or the network ends one. `.expired` says that this
    /// is no longer possible; the stream ends after it. Throws what trying again cannot mend: 400, 401, 403, 404.
    package func watch(
        _ resource: APIResource, namespace: String?, options: WatchOptions = WatchOptions()
    ) -> AsyncThrowingStream<WatchEvent, any Error> {
        let watcher = Watcher(client: self, resource: resource, namespace: namespace, options: options)
        return AsyncThrowingStream { try await watcher.next() }
    }

    /// Lists, then watches, and lists again whenever the server lost the thread: never ends by itself.
    ///
    /// The first list's failure is thrown, and so is what trying again cannot mend (401, 403, 404). Other failures are
    /// reported as `.interrupted` and tried again with growing pauses.
    package func listAndWatch(
        _ resource: APIResource, namespace: String?, labelSelector: String? = nil, fieldSelector: String? = nil
    ) -> AsyncThrowingStream<ObservedEvent, any Error> {
        let observer = Observer(
            client: self, resource: resource, namespace: namespace, labelSelector: labelSelector, fieldSelector: fieldSelector)
        return AsyncThrowingStream { try await observer.next() }
    }
}

/// The state of one `listAndWatch`.
actor Observer {
    private let client: KubernetesClient
    private let resource: APIResource
    private let namespace: String?
    private let labelSelector: String?
    private let fieldSelector: String?
    private var watcher: Watcher?
    private var hasListed = false
    private var failures = 0
    private var pause: Duration?

    init(client: KubernetesClient, resource: APIResource, namespace: String?, labelSelector: String?, fieldSelector: String?) {
        self.client = client
        self.resource = resource
        self.namespace = namespace
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
    }

    func next() async throws -> ObservedEvent? {
        while true {
            try Task.checkCancellation()
            if let pause {
                self.pause = nil
                try await Task.sleep(for: pause)
            }
            guard let watcher else { return try await list() }
            do {
                switch try await watcher.next() {
                case .added(let object): return .added(object)
                case .modified(let object): return .modified(object)
                case .deleted(let object): return .deleted(object)
                case .bookmark(let version): return .bookmark(resourceVersion: version)
                case .expired, nil: self.watcher = nil
                }
                failures = 0
            } catch {
                return try interrupted(error)
            }
        }
    }

    private func list() async throws -> ObservedEvent {
        do {
            let list = try await client.list(
                resource, namespace: namespace, options: ListOptions(labelSelector: labelSelector, fieldSelector: fieldSelector))
            hasListed = true
            failures = 0
            watcher = Watcher(
                client: client, resource: resource, namespace: namespace,
                options: WatchOptions(
                    labelSelector: labelSelector, fieldSelector: fieldSelector, resourceVersion: list.resourceVersion),
                patience: 2)
            return .listed(list.items, resourceVersion: list.resourceVersion)
        } catch {
            guard hasListed else { throw error }
            return try interrupted(error)
        }
    }

    /// Reports what may pass, throws what will not.
    private func interrupted(_ error: any Error) throws -> ObservedEvent {
        if error is CancellationError || Task.isCancelled { throw CancellationError() }
        if let error = error as? APIError, [400, 401, 403, 404, 405, 422].contains(error.code) { throw error }
        watcher = nil
        failures += 1
        pause = RetryPolicy(attempts: .max, firstDelay: .milliseconds(500), longestDelay: .seconds(30))
            .delay(after: failures, retryAfter: (error as? APIError)?.retryAfter)
        return .interrupted(reason: "\(error)")
    }
}
