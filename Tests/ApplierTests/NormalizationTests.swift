import KubernetesClient
import ResourceModel
import Testing
import TestSupport

@testable import Applier

/// Forms that public manifests have and servers answer otherwise: after a sync there is no difference, and a second one writes nothing.
@Suite(.timeLimit(.minutes(2)))
struct NormalizationTests {
    @Test(arguments: [
        "{apiVersion: v1, kind: Secret, metadata: {name: x, creationTimestamp: null}, data: {a: null}, stringData: {b: v, c: null}}",
        "{apiVersion: v1, kind: Secret, metadata: {name: x}, data: null, stringData: null}",
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: x}, rules: []}",
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: x}, rules: null}",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, annotations: {}, labels: null}, data: {}}",
        "{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {ports: [{port: 80, targetPort: http}], selector: {}}, status: {loadBalancer: {}}}",
        """
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: x, creationTimestamp: null}, status: {}, spec: {replicas: 0, strategy: {},
          selector: {matchLabels: {a: b}}, template: {metadata: {creationTimestamp: null, labels: {a: b}}, spec: {volumes: [{name: v, emptyDir: {}}],
          hostNetwork: false, securityContext: {}, containers: [{name: c, image: i, env: [], resources: {limits: {cpu: 1000m}}, ports: [{containerPort: 80}],
          volumeMounts: [{name: v, mountPath: /v, readOnly: false}]}]}}}}
        """,
        """
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: x}, subjects: [{apiGroup: "", kind: User, name: jane}],
          roleRef: {apiGroup: "", kind: Role, name: reader}}
        """,
        "{apiVersion: v1, kind: ResourceQuota, metadata: {name: x}, spec: {hard: {pods: 10, requests.cpu: 0.5}}}",
        "{apiVersion: v1, kind: LimitRange, metadata: {name: x}, spec: {limits: [{type: Container, default: {cpu: 1}, max: {memory: 1e9}}]}}",
        """
        {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: x}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}},
          spec: {containers: [{name: c, image: i, livenessProbe: {timeoutSeconds: 0, periodSeconds: 0, tcpSocket: {port: 80}}}]}}}}
        """,
        """
        {apiVersion: apps/v1, kind: StatefulSet, metadata: {name: x}, spec: {serviceName: x, selector: {matchLabels: {a: b}},
          template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}, volumeClaimTemplates: [{apiVersion: v1,
          kind: PersistentVolumeClaim, metadata: {name: d, creationTimestamp: null}, spec: {accessModes: [ReadWriteOnce],
          resources: {requests: {storage: 1024Mi}}}, status: {}}]}}
        """,
    ])
    func isTheSameAfterASync(text: String) async throws {
        try await withSession { session in
            let body = try object(text)
            let first = try await session.sync([body])
            #expect(first.results.map(\.actuation) == [.created])
            let again = try await session.sync([body])
            #expect(again.results.isEmpty, "\(again.plan.steps.map(\.change.fields))")
        }
    }

    /// What is found the same without a dry run, which would be asked for at every comparison.
    @Test(arguments: [
        "containers: [{name: c, image: i, env: [], command: [], volumeMounts: []}]",
        """
        containers: [{name: c, image: i, env: [{name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}},
          {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}, {name: A, value: b}]}]
        """,
        """
        containers: [{name: c, image: i}], initContainers: [{name: d, image: i, env: [{name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]}],
          volumes: [{name: v, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}, {path: cpu, resourceFieldRef:
          {containerName: c, resource: limits.cpu}}]}}, {name: w, projected: {sources: [{downwardAPI: {items: [{path: name, fieldRef:
          {fieldPath: metadata.name}}]}}]}}]
        """,
    ])
    func isTheSameWithoutAskingTheServer(pod: String) async throws {
        try await withSession { session in
            let body = try object(
                """
                {apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {replicas: 0, selector: {matchLabels: {a: b}},
                  template: {metadata: {labels: {a: b}}, spec: {\(pod)}}}}
                """)
            try await session.sync([body])
            let applies = session.client.requestCount["apply"]
            let changes = try await session.changes([body]).changes
            #expect(changes.map(\.action) == [.unchanged], "\(changes.map(\.fields))")
            #expect(session.client.requestCount["apply"] == applies)
        }
    }

    /// In a custom resource an empty list is kept, so one that is not there is a difference.
    @Test func anEmptyListThatIsDeclaredCountsInACustomResource() throws {
        let live = LiveObject(
            id: ResourceID(group: "example.org", kind: "Widget", namespace: "shop", name: "x"), apiVersion: "example.org/v1",
            body: ["apiVersion": "example.org/v1", "kind": "Widget", "metadata": ["name": "x"], "spec": ["size": 1]], uid: "u", resourceVersion: "1",
            ownership: FieldOwnership(entries: []))
        let intent = try object("{apiVersion: example.org/v1, kind: Widget, metadata: {name: x}, spec: {parts: []}}")
        #expect(OwnedFieldsComparison.result(intent: intent, live: live, manager: "reconciler").fields.map(\.path) == [".spec.parts"])
        var builtIn = live
        builtIn.id.group = "apps"
        #expect(OwnedFieldsComparison.result(intent: intent, live: builtIn, manager: "reconciler").fields.isEmpty)
    }

    @Test func whatAControllerWritesIntoAnAggregatedRoleIsItsOwn() throws {
        let role = try object(
            """
            {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: x}, rules: [],
              aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}}
            """)
        let applySet = ApplySet(application: "shop")
        #expect(Intent(manifest: manifest(role), application: "shop", applySet: applySet).body["rules"] == nil)
        var plain = role
        plain["aggregationRule"] = nil
        #expect(Intent(manifest: manifest(plain), application: "shop", applySet: applySet).body["rules"] == [])
    }

    /// API servers before 1.21 refuse a Service whose port leaves its protocol out: 500, `associative list with keys has an element that
    /// omits key field "protocol"`.
    @Test func aServicesPortsAreSentWithTheirProtocols() throws {
        let service = try object(
            """
            {apiVersion: v1, kind: Service, metadata: {name: x},
              spec: {ports: [{port: 80}, {port: 53, protocol: UDP}, {port: 53, name: dns, protocol: null}]}}
            """)
        let body = Intent(manifest: manifest(service), application: "shop", applySet: ApplySet(application: "shop")).body
        let ports = try #require(body[path: "spec", "ports"]?.arrayValue)
        #expect(ports.map { $0["protocol"] } == ["TCP", "UDP", "TCP"])
        #expect(ports.map { $0["port"] } == [80, 53, 53])
        let none = try object("{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {type: ExternalName, externalName: example.org}}")
        #expect(Intent(manifest: manifest(none), application: "shop", applySet: ApplySet(application: "shop")).body["spec"] == none["spec"])
    }

    /// API servers before 1.23 refuse an amount that is a number: 500, `expected string, got &value.valueUnstructured{Value:1}`.
    @Test func amountsAreSentAsStrings() throws {
        func sent(_ text: String) throws -> JSONValue? {
            Intent(manifest: manifest(try object(text)), application: "shop", applySet: ApplySet(application: "shop")).body["spec"]
        }
        let pod = try sent(
            """
            {apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {terminationGracePeriodSeconds: 1, volumes: [{name: v, emptyDir: {sizeLimit: 1024}}],
              containers: [{name: c, image: i, resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 0.5}}, ports: [{containerPort: 80}]}]}}
            """)
        let expected = try object(
            """
            {apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {terminationGracePeriodSeconds: 1, volumes: [{name: v, emptyDir: {sizeLimit: "1024"}}],
              containers: [{name: c, image: i, resources: {limits: {cpu: "1", memory: 1Gi}, requests: {cpu: "0.5"}}, ports: [{containerPort: 80}]}]}}
            """)
        #expect(pod == expected["spec"])
        #expect(
            try sent("{apiVersion: v1, kind: LimitRange, metadata: {name: x}, spec: {limits: [{type: Pod, max: {cpu: 2}}]}}")
                == ["limits": [["type": "Pod", "max": ["cpu": "2"]]]])
        // What a number means in another kind is its definition's affair.
        #expect(
            try sent("{apiVersion: example.org/v1, kind: Widget, metadata: {name: x}, spec: {limits: {cpu: 1}}}") == ["limits": ["cpu": 1]])
    }

    @Test func listsThatAreOneValueAreSentWithTheirDefaults() throws {
        func sent(_ text: String) throws -> JSONValue {
            Intent(manifest: manifest(try object(text)), application: "shop", applySet: ApplySet(application: "shop")).body
        }
        let policy = try sent(
            """
            {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: x}, spec: {podSelector: {}, egress: [{}],
              ingress: [{from: [{podSelector: {}}], ports: [{port: 80}, {port: 53, protocol: UDP}]}]}}
            """)
        #expect(policy[path: "spec", "ingress"]?[0]?["ports"] == [["port": 80, "protocol": "TCP"], ["port": 53, "protocol": "UDP"]])
        #expect(policy[path: "spec", "egress"] == [[:]])
        let webhooks = try sent(
            """
            {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: x},
              webhooks: [{name: a.example.org, rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}]}
            """)
        #expect(webhooks["webhooks"]?[0]?["rules"]?[0]?["scope"] == "*")
        let binding = try sent(
            """
            {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: x}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: x},
              subjects: [{apiGroup: "", kind: ServiceAccount, name: a, namespace: b}, {kind: Group, name: c}, {kind: User, apiGroup: other, name: d}]}
            """)
        #expect(
            binding["subjects"] == [
                ["kind": "ServiceAccount", "name": "a", "namespace": "b"], ["kind": "Group", "name": "c", "apiGroup": "rbac.authorization.k8s.io"],
                ["kind": "User", "apiGroup": "other", "name": "d"],
            ])
    }

    /// The first thing that API servers before 1.21 are seen to do otherwise: an empty map has no owner there.
    @Test func anEmptyMapThatNobodyOwnsIsNoDifference() throws {
        let body = try object("{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {volumes: [{name: v, emptyDir: {}}], securityContext: {}}}")
        var live = body
        live["metadata"] = [
            "name": "x", "namespace": "n", "uid": "u", "resourceVersion": "1",
            "managedFields": [
                [
                    "manager": .string(Applier.fieldManager), "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
                    "fieldsV1": ["f:spec": ["f:volumes": [#"k:{"name":"v"}"#: [".": [:], "f:name": [:]]]]],
                ]
            ],
        ]
        let pods = APIResource(group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true)
        let result = OwnedFieldsComparison.result(intent: body, live: try LiveObject(live, as: pods), manager: Applier.fieldManager)
        #expect(result.isSame)
    }
}
