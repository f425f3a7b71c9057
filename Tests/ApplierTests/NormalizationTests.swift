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
}
