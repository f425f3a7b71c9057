import ResourceModel

/// Argo CD's `Application` (argoproj.io/v1alpha1): what to render from where, into which cluster and namespace, and how to sync it.
/// https://argo-cd.readthedocs.io/en/stable/user-guide/application-specification/
package struct Application: Sendable, Hashable {
    package var name: String
    /// The namespace of the `Application` object itself, not of what it deploys.
    package var namespace: String?
    package var labels: [String: String] = [:]
    package var annotations: [String: String] = [:]
    package var finalizers: [String] = []
    /// Where the application is declared.
    package var location: SourceLocation
    /// The repository and revision that the application was read from; `nil` when it was read from a directory on disk.
    package var origin: Revision?

    package var project: String = "default"
    /// At least one. One from `spec.source`, or all of `spec.sources`.
    package var sources: [ApplicationSource]
    /// Declared with `spec.sources`: value files may then name another source as `$ref/path`.
    package var hasMultipleSources: Bool
    package var destination: Destination
    package var syncPolicy = SyncPolicy()
    package var ignoreDifferences: [IgnoreDifferences] = []
    package var info: [Info] = []
    /// How many finished syncs the history keeps.
    package var revisionHistoryLimit: Int = 10

    /// `argocd.argoproj.io/skip-reconcile: "true"`: nothing is done to it without being asked.
    package var skipsReconcile: Bool { annotations["argocd.argoproj.io/skip-reconcile"] == "true" }

    /// Which cluster, and the namespace for objects that name none.
    package struct Destination: Sendable, Hashable {
        package var server: String?
        package var name: String?
        package var namespace: String?

        package init(server: String? = nil, name: String? = nil, namespace: String? = nil) {
            self.server = server
            self.name = name
            self.namespace = namespace
        }

        /// `in-cluster`, `https://kubernetes.default.svc`: the default cluster (`--kubeconfig`, …, else the embedded one).
        package var isDefaultCluster: Bool {
            if let name, !name.isEmpty { return name == Self.defaultClusterName }
            return server == nil || server == "" || server == Self.defaultClusterServer
        }

        package static let defaultClusterName = "in-cluster"
        package static let defaultClusterServer = "https://kubernetes.default.svc"
    }

    package struct Info: Sendable, Hashable {
        package var name: String
        package var value: String
    }
}

/// When an application is synced without being asked, and how.
package struct SyncPolicy: Sendable, Hashable {
    /// `nil`: only on request.
    package var automated: Automated?
    package var syncOptions = SyncOptions()
    /// `nil`: no retry was configured (an automated sync then retries five times, as Argo CD does).
    package var retry: Retry?
    package var managedNamespaceMetadata: NamespaceMetadata?

    package struct Automated: Sendable, Hashable {
        package var prune = false
        package var selfHeal = false
        package var allowEmpty = false
        package var enabled = true
    }

    package struct Retry: Sendable, Hashable {
        /// -1 retries for ever, 0 never.
        package var limit = 5
        /// Take a newer commit for the next attempt when there is one.
        package var refresh = false
        package var backoff = Backoff()
    }

    package struct Backoff: Sendable, Hashable {
        package var duration: Duration = .seconds(5)
        package var factor = 2
        package var maxDuration: Duration = .seconds(180)
    }

    package struct NamespaceMetadata: Sendable, Hashable {
        package var labels: [String: String] = [:]
        package var annotations: [String: String] = [:]
    }

    /// Whether new commits and drift are synced without being asked.
    package var isAutomated: Bool { automated?.enabled ?? false }
}
