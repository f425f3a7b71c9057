import ResourceModel
import Testing

@testable import Applier

/// Comparing and planning from files: no server fills in defaults or says who owns what.
@Suite struct OfflineComparisonTests {
    private func comparison(_ declared: [String], _ live: [String]) throws -> OfflineComparison {
        try OfflineComparison(desired: desiredState(declared.map { manifest(try object($0)) }), live: live.map(object))
    }

    private func differing(_ declared: String, _ live: String) throws -> [String] {
        try comparison([declared], [live]).changes.flatMap { $0.fields.map(\.path) }
    }

    private static let deployment = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          replicas: 2
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec:
              containers:
                - name: web
                  image: a:1
                  ports: [{containerPort: 80}]
                  resources: {limits: {cpu: 1000m}}
        """
    /// The same as a server has it.
    private static let defaulted = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop, uid: u, resourceVersion: "7", generation: 3, creationTimestamp: "2026-01-01T00:00:00Z"}
        spec:
          replicas: 2
          progressDeadlineSeconds: 600
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec:
              dnsPolicy: ClusterFirst
              containers:
                - name: injected
                  image: proxy
                - name: web
                  image: a:1
                  imagePullPolicy: IfNotPresent
                  ports: [{containerPort: 80, protocol: TCP}]
                  resources: {limits: {cpu: "1"}}
        status: {replicas: 2}
        """

    @Test func defaultsAndSpellingsAreNoDifference() throws {
        #expect(try differing(Self.deployment, Self.defaulted) == [])
        #expect(try comparison([Self.deployment], [Self.defaulted]).changes.map(\.action) == [.unchanged])
    }

    @Test(arguments: [
        ("replicas: 2", "replicas: 3", ".spec.replicas"), ("image: a:1", "image: a:2", ".spec.template.spec.containers[name=\"web\"].image"),
        ("cpu: 1000m", "cpu: 2000m", ".spec.template.spec.containers[name=\"web\"].resources.limits.cpu"),
        ("containerPort: 80", "containerPort: 81", ".spec.template.spec.containers[name=\"web\"].ports[containerPort=81]"),
    ])
    func whatIsDeclaredAndDiffersIsADifference(_ old: String, _ new: String, _ path: String) throws {
        #expect(try differing(Self.deployment.replacing(old, with: new), Self.defaulted) == [path])
    }

    @Test func whatWasAppliedBeforeAndIsDeclaredNoMoreIsADifference() throws {
        let live = """
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: a
              namespace: shop
              annotations:
                kubectl.kubernetes.io/last-applied-configuration: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"kept":"1","gone":"2"}}'
            data: {kept: "1", gone: "2", others: "3"}
            """
        let declared = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {kept: \"1\"}\n"
        #expect(try differing(declared, live) == [".data.gone"], "what nobody applied is left alone")
    }

    @Test func managedFieldsAreBelievedWhereTheyAre() throws {
        let live = """
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: a
              namespace: shop
              managedFields:
                - {manager: reconciler, operation: Apply, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {"f:data": {"f:gone": {}, "f:kept": {}}}}
            data: {kept: "1", gone: "2", others: "3"}
            """
        let declared = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {kept: \"1\"}\n"
        #expect(try differing(declared, live) == [".data.gone"])
    }

    @Test func secretsAreComparedAsTheServerKeepsThem() throws {
        let live = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: shop}\ntype: Opaque\ndata: {password: aHVudGVyMg==}\n"
        let declared = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: shop}\nstringData: {password: hunter2}\n"
        #expect(try differing(declared, live) == [])
        #expect(try differing(declared.replacing("hunter2", with: "hunter3"), live) == [".data.password"])
    }

    @Test func plansWithTheSamePlanner() throws {
        let hook = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, namespace: shop, annotations: {argocd.argoproj.io/hook: PreSync}}\n"
        let map = { (name: String, wave: String) in
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \(name), namespace: shop, annotations: {argocd.argoproj.io/sync-wave: \"\(wave)\"}}\n"
        }
        let found = try comparison([map("b", "1"), map("a", "2"), hook], [map("old", "5"), map("a", "2")])
        let plan = found.steps(under: PlanPolicy(prune: true))
        #expect(plan.steps.map { "\($0.phase.rawValue) \($0.wave) \($0.verb.rawValue) \($0.change.id.name)" } == ["PreSync 0 apply migrate", "Sync 1 apply b", "Sync 5 delete old"])
        #expect(plan.unchanged.map(\.name) == ["a"])
        let kept = found.steps(under: PlanPolicy(prune: false))
        #expect(kept.skipped.map(\.action) == [.skip(.pruneDisabled)])
    }
}
