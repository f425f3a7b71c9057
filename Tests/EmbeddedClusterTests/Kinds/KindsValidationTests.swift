import ResourceModel
import Testing
import YAML

@testable import EmbeddedCluster

/// What users commonly get wrong, with the server's words.
@Suite struct KindsValidationTests {
    /// The object after defaulting and preparation, as it is validated on create.
    static func prepared(_ yaml: String) throws -> (KindRules, JSONValue) {
        var object = try #require(try YAML.documents(in: Array(yaml.utf8), path: "test.yaml").first?.value)
        let kind = GroupVersionKind(apiVersion: object["apiVersion"]?.stringValue ?? "", kind: object["kind"]?.stringValue ?? "")
        #expect(KindRules.hasRules(for: kind))
        object[path: "metadata", "uid"] = "36bba2c3-f97d-4699-9fb1-267f9ae808ce"
        let rules = KindRules.rules(for: kind)
        return (rules, rules.prepareForCreate(rules.defaulted(object)))
    }

    static func causes(_ yaml: String) throws -> [String] {
        let (rules, object) = try prepared(yaml)
        return rules.validateCreate(object).map { "\($0.field): \($0.message)" }
    }

    static func pod(_ spec: String) -> String { "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: \(spec)}" }
    static func container(_ fields: String) -> String { pod("{containers: [{name: a, image: b, \(fields)}]}") }
    static func claim(_ spec: String) -> String { "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: \(spec)}" }
    static func object(_ apiVersion: String, _ kind: String, _ rest: String) -> String {
        "{apiVersion: \(apiVersion), kind: \(kind), metadata: {name: x}, \(rest)}"
    }

    static let refused: [(String, [String])] = [
        (pod("{}"), ["spec.containers: Required value"]),
        (pod("{containers: [{}]}"), ["spec.containers[0].name: Required value", "spec.containers[0].image: Required value"]),
        (pod("{containers: [{name: a, image: b}, {name: a, image: b}]}"), ["spec.containers[1].name: Duplicate value: \"a\""]),
        (pod("{restartPolicy: Sometimes, containers: [{name: a, image: b}]}"), [
            "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"Never\", \"OnFailure\""
        ]),
        (container("ports: [{containerPort: 70000}]"), [
            "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"
        ]),
        (container("env: [{value: x}]"), ["spec.containers[0].env[0].name: Required value"]),
        (container("volumeMounts: [{name: v, mountPath: /x}]"), ["spec.containers[0].volumeMounts[0].name: Not found: \"v\""]),
        (container("livenessProbe: {periodSeconds: 1}"), ["spec.containers[0].livenessProbe: Required value: must specify a handler type"]),
        (container("livenessProbe: {successThreshold: 2, tcpSocket: {port: 1}}"), [
            "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"
        ]),
        (container("resources: {requests: {cpu: 2}, limits: {cpu: 1}}"), [
            "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1"
        ]),
        (container("resources: {limits: {storage: 1}}"), [
            "spec.containers[0].resources.limits[storage]: Invalid value: \"storage\": must be a standard resource for containers",
            "spec.containers[0].resources.requests[storage]: Invalid value: \"storage\": must be a standard resource for containers",
        ]),
        (pod("{containers: [{name: a, image: b}], volumes: [{name: v, secret: {}}]}"), ["spec.volumes[0].secret.secretName: Required value"]),
        (object("v1", "Service", "spec: {}"), ["spec.ports: Required value"]),
        (object("v1", "Service", "spec: {ports: [{port: 1}, {port: 2}]}"), [
            "spec.ports[0].name: Required value", "spec.ports[1].name: Required value",
        ]),
        (object("v1", "Service", "spec: {type: ExternalName}"), ["spec.externalName: Required value"]),
        (object("v1", "Service", "spec: {type: Odd, ports: [{port: 1}]}"), [
            "spec.type: Unsupported value: \"Odd\": supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", \"NodePort\""
        ]),
        (object("v1", "Secret", "type: kubernetes.io/tls"), ["data[tls.crt]: Required value", "data[tls.key]: Required value"]),
        (claim("{}"), ["spec.accessModes: Required value: at least 1 access mode is required", "spec.resources[storage]: Required value"]),
        (object("batch/v1", "Job", "spec: {template: {spec: {containers: [{name: a, image: b}]}}}"), [
            "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\""
        ]),
        (object("policy/v1", "PodDisruptionBudget", "spec: {minAvailable: -1}"), [
            "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"
        ]),
        (object("autoscaling/v2", "HorizontalPodAutoscaler", "spec: {maxReplicas: 0, scaleTargetRef: {kind: Deployment, name: d}}"), [
            "spec.maxReplicas: Invalid value: 0: must be greater than 0",
            "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`",
        ]),
        (object("rbac.authorization.k8s.io/v1", "Role", "rules: [{apiGroups: [''], resources: [pods]}]"), [
            "rules[0].verbs: Required value: verbs must contain at least one value"
        ]),
        (object("storage.k8s.io/v1", "StorageClass", "parameters: {}"), ["provisioner: Required value"]),
        (object("networking.k8s.io/v1", "Ingress", "spec: {rules: [{http: {paths: [{path: /, backend: {service: {name: a}}}]}}]}"), [
            "spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified",
            "spec.rules[0].http.paths[0].backend.service.port: Required value: port name or number is required",
        ]),
        ("{apiVersion: v1, kind: Namespace, metadata: {name: a.b}}", [
            "metadata.name: Invalid value: \"a.b\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
                + "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
                + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
            "metadata.labels: Invalid value: \"a.b\"",
        ]),
    ]

    @Test(arguments: refused.dropLast().map(\.0)) func refusesWithTheServersWords(yaml: String) throws {
        let wanted = try #require(Self.refused.first { $0.0 == yaml }?.1)
        #expect(try Self.causes(yaml) == wanted)
    }

    @Test func refusesANamespaceThatIsNoLabel() throws {
        let (yaml, wanted) = try #require(Self.refused.last)
        #expect(try Self.causes(yaml).first == wanted.first)
    }

    @Test(arguments: [
        object(
            "apps/v1", "StatefulSet",
            "spec: {selector: {matchLabels: {a: b}}, volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: "
                + "{requests: {storage: 1Gi}}}}], template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i, volumeMounts: "
                + "[{name: data, mountPath: /data}]}]}}}"),
        object("v1", "Service", "spec: {clusterIP: None, selector: {a: b}}"),
        object("v1", "Service", "spec: {ports: [{port: 80, targetPort: http}]}"),
        object("rbac.authorization.k8s.io/v1", "ClusterRole", "rules: [{nonResourceURLs: ['/metrics'], verbs: [get]}]").replacing("name: x", with: "name: 'system:x'"),
        object("rbac.authorization.k8s.io/v1", "ClusterRole", "aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}"),
        object("networking.k8s.io/v1", "NetworkPolicy", "spec: {podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}"),
        object("batch/v1", "CronJob", "spec: {schedule: '@hourly', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}}"),
        container("resources: {limits: {nvidia.com/gpu: 1, memory: 1.5Gi}}"),
        container("readinessProbe: {successThreshold: 2, httpGet: {port: http}}"),
        pod("{containers: [{name: a, image: b}], initContainers: [{name: i, image: b, restartPolicy: Always, startupProbe: {tcpSocket: {port: 1}}}]}"),
    ]) func acceptsWhatTheServerAccepts(yaml: String) throws {
        #expect(try Self.causes(yaml) == [])
    }

    @Test(arguments: [
        ("*/5 * * * *", nil), ("0 0 1 jan mon", nil), ("@daily", nil), ("TZ=UTC 0 0 * * *", nil), ("1,2,3-5/2 * * * *", nil),
        ("60 * * * *", "end of range (60) above maximum (59): 60"), ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("@sometimes", "unrecognized descriptor: @sometimes"), ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
    ] as [(String, String?)]) func readsSchedules(text: String, problem: String?) {
        #expect(CronSchedule.problem(text) == problem)
    }

    @Test func aPodsServiceQualityFollowsItsResources() throws {
        func quality(_ resources: String) throws -> JSONValue? {
            try Self.prepared(Self.container("resources: \(resources)")).1["status"]?["qosClass"]
        }
        #expect(try quality("{}") == "BestEffort")
        #expect(try quality("{limits: {cpu: 1, memory: 1Gi}}") == "Guaranteed")
        #expect(try quality("{requests: {cpu: 1}}") == "Burstable")
    }

    @Test func theGenerationFollowsTheSpecOnly() throws {
        var (rules, live) = try Self.prepared(
            Self.object("apps/v1", "Deployment", "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}"))
        live["status"] = ["replicas": 1]
        var relabelled = live
        relabelled[path: "metadata", "labels", "x"] = "y"
        relabelled["status"] = ["replicas": 7]
        let same = rules.prepareForUpdate(relabelled, live)
        #expect(same[path: "metadata", "generation"] == 1)
        #expect(same["status"] == ["replicas": 1])
        var scaled = live
        scaled[path: "spec", "replicas"] = 3
        #expect(rules.prepareForUpdate(scaled, live)[path: "metadata", "generation"] == 2)
    }

    @Test func aServiceKeepsWhatTheServerGaveIt() throws {
        var (rules, live) = try Self.prepared(Self.object("v1", "Service", "spec: {type: NodePort, ports: [{port: 80}]}"))
        live[path: "spec", "clusterIP"] = "10.96.0.7"
        live[path: "spec", "clusterIPs"] = ["10.96.0.7"]
        live[path: "spec", "ports"] = [["port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30001]]
        let sent = try Self.prepared(Self.object("v1", "Service", "spec: {type: NodePort, ports: [{port: 80}]}")).1
        let updated = rules.prepareForUpdate(sent, live)
        #expect(updated["spec"] == live["spec"])
        var moved = live
        moved[path: "spec", "clusterIP"] = "10.96.0.8"
        #expect(rules.validateUpdate(moved, live).map(\.field) == ["spec.clusterIPs[0]"])
    }

    @Test func warnsOfDeprecatedFields() throws {
        let (rules, ingress) = try Self.prepared(
            "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, annotations: {kubernetes.io/ingress.class: x}}, spec: {defaultBackend: {service: {name: a, port: {number: 1}}}}}")
        #expect(rules.warnings(ingress) == ["annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"])
    }

    @Test(arguments: [(1, "1s"), (119, "119s"), (120, "2m"), (150, "2m30s"), (7200, "120m"), (10800, "3h"), (90000, "25h"), (259200, "3d"), (864000, "10d")] as [(Int64, String)])
    func tellsAges(seconds: Int64, text: String) {
        #expect(TableText.duration(seconds) == text)
    }
}
