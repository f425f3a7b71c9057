import ResourceModel

/// The health of a custom resource, which has no rule of its own here: what controllers agree on (kstatus, and the conventions for conditions of
/// https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md) and the words that they use
/// beyond it. What says nothing is healthy, as in Argo CD.
func customHealth(_ object: JSONValue) -> HealthAssessment {
    let resource = CustomResource(object)
    return resource.suspended ?? resource.unseen ?? resource.failed ?? resource.paused ?? resource.refused ?? resource.worded ?? resource.reconciling
        ?? resource.unready ?? HealthAssessment(.healthy)
}

private struct CustomResource {
    private let object: JSONValue
    private let kind: GroupKind
    private let status: JSONValue
    private let own: [Condition]
    /// Those of a route's parents, a policy's ancestors and a gateway's listeners (Gateway API).
    private let nested: [Condition]

    init(_ object: JSONValue) {
        self.object = object
        kind = GroupKind(
            group: GroupVersionKind(apiVersion: object["apiVersion"]?.stringValue ?? "", kind: "").group, kind: object["kind"]?.stringValue ?? "")
        status = object["status"] ?? [:]
        own = conditions(object)
        let nested = ["parents", "ancestors", "listeners"].flatMap { [status] name in
            (status[name]?.arrayValue ?? []).flatMap { conditions(["status": $0]) }
        }
        // Of several parents one that is not meant does no harm.
        let isAccepted = nested.contains { $0.type == "Accepted" && $0.isTrue }
        self.nested = nested.filter { !(isAccepted && $0.reason == "NoMatchingParent") }
    }

    private var all: [Condition] { own + nested }

    // MARK: Parts

    var suspended: HealthAssessment? {
        for key in ["suspend", "suspended", "paused"] where object[path: "spec", key] == true {
            return HealthAssessment(.suspended, "spec.\(key) is true")
        }
        return nil
    }

    /// No controller has looked at it as it is.
    var unseen: HealthAssessment? {
        if status.objectValue?.isEmpty ?? true {
            return StatusWriters.kinds[kind.group]?.contains(kind.kind) == true ? HealthAssessment(.progressing, "waiting for a status") : nil
        }
        return unobservedGeneration(object)
    }

    /// A condition that tells of a failure by its name, or a word in place of one.
    var failed: HealthAssessment? {
        if let failure = all.first(where: { $0.isTrue && Self.namesFailure($0.type) }) {
            return HealthAssessment(.degraded, failure.sentence)
        }
        if let stuck = all.first(where: { $0.type == "Progressing" && $0.isFalse && Wording.tellsFailure($0.reason) }) {
            return HealthAssessment(.degraded, stuck.text)
        }
        for key in ["error", "failureMessage"] {
            let message = status[key]?.stringValue ?? status[key]?["message"]?.stringValue ?? ""
            if !message.isEmpty { return HealthAssessment(.degraded, message) }
        }
        return status["healthy"] == false ? HealthAssessment(.degraded, "status.healthy is false") : solo
    }

    /// Solo's gateways count, or name, in `state`: 0 pending, 1 accepted, 2 rejected, 3 accepted with warnings.
    private var solo: HealthAssessment? {
        guard kind.group == "gateway.solo.io" || kind.group == "gloo.solo.io" else { return nil }
        let parts = [status] + (status["statuses"]?.objectValue?.map(\.value) ?? [])
        func first(_ states: [JSONValue]) -> JSONValue? { parts.first { part in states.contains { $0 == part["state"] } } }
        if let bad = first([2, 3, "Rejected", "Warning"]) { return HealthAssessment(.degraded, bad["reason"]?.stringValue ?? "") }
        if first([0, "Pending"]) != nil { return HealthAssessment(.suspended, "not validated yet") }
        return nil
    }

    var paused: HealthAssessment? {
        all.first { ["ReconcilePaused", "RolloutPaused"].contains($0.reason) || $0.isTrue && ["Paused", "Suspended", "Stopped"].contains($0.type) }
            .map { HealthAssessment(.suspended, $0.text) }
    }

    /// A condition that should be true, and is not for a reason that time does not mend.
    var refused: HealthAssessment? {
        let refused =
            all.first { condition in
                guard Self.wanted.contains(condition.type), !condition.isTrue else { return false }
                return condition.isFalse ? Wording.tellsFailure(condition.reason) : Wording.tellsFailure(condition.reason, of: ["error", "fail"])
            } ?? nested.first { $0.isFalse && ["Accepted", "ResolvedRefs"].contains($0.type) && $0.reason != "Pending" }
        return refused.map { HealthAssessment(.degraded, $0.text) }
    }

    /// One word for it all, as in `status.phase`.
    var worded: HealthAssessment? {
        let read = Self.words.compactMap { key -> HealthAssessment? in
            guard let word = status[key]?.stringValue, let health = Wording.health(word) else { return nil }
            let message = status["message"]?.stringValue ?? status["reason"]?.stringValue ?? ""
            return HealthAssessment(health, message.isEmpty ? "status.\(key) is \(word)" : "\(word): \(message)")
        }
        return read.first { $0.status != .progressing } ?? read.first
    }

    var reconciling: HealthAssessment? {
        own.first { $0.type == "Reconciling" && $0.isTrue }.map { HealthAssessment(.progressing, $0.sentence) }
    }

    var unready: HealthAssessment? {
        for key in ["ready", "readyToUse"] where status[key] == false { return HealthAssessment(.progressing, "status.\(key) is false") }
        if let ready = status["readyReplicas"]?.integerValue, let replicas = status["replicas"]?.integerValue, ready < replicas {
            return HealthAssessment(.progressing, "\(ready) of \(replicas) replicas are ready")
        }
        return all.first { Self.wanted.contains($0.type) && !$0.isTrue && !($0.isFalse && Self.mayBeFalse.contains($0.type)) }
            .map { HealthAssessment(.progressing, $0.text) }
    }

    // MARK: Conditions

    private static let failures: Set<String> = [
        "Stalled", "Failed", "Failing", "Error", "Errored", "ErrorOccurred", "Degraded", "Invalid", "InvalidSpec", "Rejected", "Unhealthy", "NotReady",
    ]

    private static func namesFailure(_ type: String) -> Bool {
        failures.contains(type) || type.hasSuffix("Failed") || type.hasSuffix("Failure") || type.hasSuffix("Error")
    }

    /// True in the end, whatever the kind.
    private static let wanted: Set<String> = [
        "Ready", "Available", "Healthy", "Reconciled", "Succeeded", "Programmed", "Synced", "Accepted", "Installed", "Valid", "Completed", "Complete",
        "Applied", "Provisioned", "Deployed", "ResolvedRefs", "Established", "Admitted", "Initialized", "Scheduled", "ReconcileSuccess", "FullyApplied",
        "RemoteSynced", "ResourcesApplied", "ChildResourcesHealthy", "ClusterAvailable", "AllReplicasReady",
    ]
    /// These are false too where all is well; only their reason tells.
    private static let mayBeFalse: Set<String> = ["Scheduled", "ReconcileSuccess", "FullyApplied", "Synced"]

    private static let words = ["phase", "state", "status", "currentState", "currentStatus", "health", "updateStatus", "overallStatus", "currentPhase"]
}

extension Condition {
    fileprivate var text: String { message.isEmpty ? (reason.isEmpty ? "\(type) is not true" : reason) : message }
}

/// What single words say of a state: `Failed`, `ErrImagePull`, `ScalingUp`, `Waiting for Pods to be ready`.
private enum Wording {
    private static let failures = [
        "fail", "error", "invalid", "denied", "forbidden", "unauthorized", "notfound", "not found", "backoff", "reject", "degraded", "unhealthy", "crash",
        "conflict", "misconfig", "missing", "timeout", "timedout", "timed out", "expired", "unsupported", "unable", "cannot", "unreachable", "abort",
        "violation", "terminal", "deadlineexceeded", "notallowed", "not allowed",
    ]
    private static let waiting: Set<String> = [
        "inprogress", "starting", "queued", "new", "notready", "notreconciled", "creation", "progress", "submitted", "uninitialized", "planned",
        "rollingupdate", "yellow",
    ]
    private static let halted: Set<String> = ["suspended", "paused", "hibernated", "stopped", "halted"]
    /// They end as what goes on does, and are how things stay.
    private static let lasting: Set<String> = [
        "running", "serving", "listening", "streaming", "working", "existing", "warning", "nothing", "operating", "functioning", "watching", "monitoring",
    ]

    static func tellsFailure(_ text: String, of signs: [String] = failures) -> Bool {
        let lowered = text.lowercased()
        // `ErrRegisterACMEAccount`, but not `Erratic`.
        let begins = text.hasPrefix("Err") && text.dropFirst(3).first?.isUppercase == true
        return begins
            || signs.contains { sign in
                guard let found = lowered.firstRange(of: sign) else { return false }
                let before = lowered[..<found.lowerBound]
                return !before.hasSuffix("no") && !before.hasSuffix("no ")  // `NoErrors`
            }
    }

    /// `nil` where the word says neither.
    static func health(_ text: String) -> HealthStatus? {
        if tellsFailure(text) { return .degraded }
        let parts = parts(of: text)
        guard let first = parts.first, let last = parts.last else { return nil }
        let whole = parts.joined()
        if halted.contains(whole) { return .suspended }
        if whole == "red" { return .degraded }
        let isWaiting = waiting.contains(whole) || parts.contains("pending") || parts.contains("waiting") || whole.contains("inprogress")
        return isWaiting || [first, last].contains { $0.hasSuffix("ing") && !lasting.contains($0) } ? .progressing : nil
    }

    /// The words of a sentence or of `CamelCase`, in small letters.
    private static func parts(of text: String) -> [String] {
        var parts: [String] = []
        var wasCapital = false
        var isInWord = false
        for character in text {
            guard character.isLetter else {
                isInWord = false
                continue
            }
            if !isInWord || character.isUppercase && !wasCapital { parts.append("") }
            parts[parts.count - 1] += character.lowercased()
            (isInWord, wasCapital) = (true, character.isUppercase)
        }
        return parts
    }
}

/// Kinds whose controllers always write a status: one without has not been seen yet, so that a wave waits for it.
private enum StatusWriters {
    static let kinds: [String: Set<String>] = [
        "acid.zalan.do": ["postgresql"],
        "addons.cluster.x-k8s.io": ["ClusterResourceSet"],
        "apps.kruise.io": ["CloneSet", "DaemonSet", "StatefulSet"],
        "argoproj.io": ["Rollout", "AnalysisRun", "Experiment"],
        "bitnami.com": ["SealedSecret"],
        "cdi.kubevirt.io": ["DataVolume"],
        "ceph.rook.io": ["CephCluster", "CephBlockPool", "CephFilesystem", "CephObjectStore"],
        "cert-manager.io": ["Certificate", "CertificateRequest", "Issuer", "ClusterIssuer"],
        "certmanager.k8s.io": ["Certificate", "Issuer", "ClusterIssuer"],
        "clickhouse-keeper.altinity.com": ["ClickHouseKeeperInstallation"],
        "clickhouse.altinity.com": ["ClickHouseInstallation"],
        "cluster.x-k8s.io": ["Cluster", "MachineDeployment", "MachinePool"],
        "coralogix.com": ["Alert", "RecordingRuleGroupSet"],
        "core.humio.com": ["HumioAction", "HumioAlert", "HumioIngestToken", "HumioParser", "HumioRepository", "HumioView"],
        "core.spinkube.dev": ["SpinApp"],
        "elasticsearch.k8s.elastic.co": ["Elasticsearch"],
        "external-secrets.io": ["ExternalSecret", "ClusterExternalSecret", "SecretStore", "ClusterSecretStore", "PushSecret"],
        "gateway.networking.k8s.io": ["Gateway", "GatewayClass", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute", "BackendTLSPolicy"],
        "gateway.solo.io": ["Gateway", "MatchableHttpGateway", "RouteOption", "RouteTable", "VirtualHostOption", "VirtualService"],
        "gloo.solo.io": ["Proxy", "Settings", "Upstream", "UpstreamGroup"],
        "grafana.integreatly.org": ["Grafana", "GrafanaDashboard", "GrafanaDatasource", "GrafanaFolder"],
        "helm.toolkit.fluxcd.io": ["HelmRelease"],
        "image.toolkit.fluxcd.io": ["ImageRepository", "ImagePolicy", "ImageUpdateAutomation"],
        "jaegertracing.io": ["Jaeger"],
        "k8s.keycloak.org": ["Keycloak", "KeycloakRealmImport"],
        "kafka.strimzi.io": ["Kafka", "KafkaBridge", "KafkaConnect", "KafkaConnector", "KafkaMirrorMaker2", "KafkaTopic", "KafkaUser"],
        "karpenter.sh": ["NodePool", "NodeClaim"],
        "keda.sh": ["ScaledObject", "ScaledJob"],
        "kibana.k8s.elastic.co": ["Kibana"],
        "kubernetes-client.io": ["ExternalSecret"],
        "kubevirt.io": ["VirtualMachine", "VirtualMachineInstance"],
        "kustomize.toolkit.fluxcd.io": ["Kustomization"],
        "kyverno.io": ["ClusterPolicy", "Policy"],
        "logstash.k8s.elastic.co": ["Logstash"],
        "nmstate.io": ["NodeNetworkConfigurationPolicy"],
        "onepassword.com": ["OnePasswordItem"],
        "operators.coreos.com": ["Subscription", "ClusterServiceVersion"],
        "pkg.crossplane.io": ["Provider", "Configuration", "Function"],
        "policy.open-cluster-management.io": ["CertificatePolicy", "ConfigurationPolicy", "OperatorPolicy", "Policy"],
        "postgresql.cnpg.io": ["Cluster"],
        "projectcontour.io": ["HTTPProxy", "ExtensionService"],
        "promoter.argoproj.io": [
            "ArgoCDCommitStatus", "ChangeTransferPolicy", "ClusterScmProvider", "CommitStatus", "GitCommitStatus", "GitRepository",
            "PromotionStrategy", "PullRequest", "ScmProvider", "TimedCommitStatus", "WebRequestCommitStatus",
        ],
        "rabbitmq.com": ["RabbitmqCluster", "Queue", "Exchange", "Binding", "User", "Vhost", "Policy", "Permission"],
        "services.cloud.sap.com": ["ServiceBinding", "ServiceInstance"],
        "serving.knative.dev": ["Service", "Route", "Configuration", "Revision"],
        "snapshot.storage.k8s.io": ["VolumeSnapshot", "VolumeSnapshotContent"],
        "solr.apache.org": ["SolrCloud"],
        "source.toolkit.fluxcd.io": ["GitRepository", "OCIRepository", "HelmChart", "Bucket"],
        "tower.ansible.com": ["AnsibleJob"],
    ]
}
