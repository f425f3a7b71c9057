import ResourceModel
import Testing

@testable import Applier

/// What a plan brings about, from values alone.
@Suite struct ConsequenceTests {
    // MARK: Making plans

    private static func object(_ text: String) throws -> JSONValue {
        var body = try ApplierTests.object(text)
        if body[path: "metadata", "namespace"] == nil, !["Namespace", "PersistentVolume", "CustomResourceDefinition"].contains(body["kind"]?.stringValue ?? "") {
            body[path: "metadata", "namespace"] = "shop"
        }
        return body
    }

    private static func live(_ text: String) throws -> LiveObject {
        let body = try object(text)
        let manifest = manifest(body)
        return LiveObject(id: manifest.id, apiVersion: manifest.apiVersion, body: body, uid: "uid", resourceVersion: "1", ownership: FieldOwnership())
    }

    /// The consequences of making `before` into `after`, in documents between `---`.
    private func found(
        _ before: String, _ after: String, kept: String = "", facts: ConsequenceFacts = ConsequenceFacts(), policy: PlanPolicy = PlanPolicy(prune: true)
    ) throws -> [Consequence] {
        func documents(_ text: String) -> [String] { text.components("---\n").filter { !$0.isEmpty } }
        let old = try documents(before).map(Self.live)
        let new = try documents(after).map { manifest(try Self.object($0)) }
        let stays = try documents(kept).map(Self.live)
        var state = LiveState(objects: Dictionary(uniqueKeysWithValues: (old + stays).map { ($0.id, $0) }))
        state.inventory.members = Set(state.objects.keys)
        let ids = Set(old.map(\.id)).union(new.map(\.id)).sorted()
        let changes = ids.map { id -> Change in
            let (live, manifest) = (old.first { $0.id == id }, new.first { $0.id == id })
            guard let manifest else { return Change(id: id, action: .prune, live: live) }
            guard let live else { return Change(id: id, action: .create, manifest: manifest) }
            let fields = fieldDifferences(from: live.body, to: manifest.body, id: id)
            return Change(id: id, action: fields.isEmpty ? .unchanged : .configure, fields: fields, manifest: manifest, live: live)
        }
        let plan = plan(changes, desired: desiredState(new.isEmpty ? [manifest("ConfigMap", "one")] : new), inventory: state.inventory, policy: policy)
        return foreseeableConsequences(of: plan, live: state, facts: facts)
    }

    private static func deployment(_ image: String = "a:1", replicas: Int = 3, more: String = "", pod: String = "") -> String {
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: \(replicas)\n  selector: {matchLabels: {app: web}}\n\(more)  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n        - name: web\n          image: \(image)\n\(pod)"
    }

    // MARK: Pods

    @Test(arguments: [
        (deployment(), deployment("a:2"), ["pods-restart 3 pods of apps/Deployment shop/web restart one after another (.spec.template.spec.containers[name=\"web\"].image)"]),
        (deployment(replicas: 1), deployment("a:2", replicas: 1), ["pods-restart 1 pod of apps/Deployment shop/web restarts (.spec.template.spec.containers[name=\"web\"].image)"]),
        (deployment(more: "  strategy: {type: Recreate}\n"), deployment("a:2", more: "  strategy: {type: Recreate}\n"), ["pods-restart! 3 pods of apps/Deployment shop/web restart all at once: it is not available meanwhile (.spec.template.spec.containers[name=\"web\"].image)"]),
        (deployment(more: "  paused: true\n"), deployment("a:2", more: "  paused: true\n"), ["pods-keep 3 pods of apps/Deployment shop/web stay as they are although the template changes: it is paused"]),
        (deployment(replicas: 0), deployment("a:2", replicas: 0), []),
        (deployment(), deployment(replicas: 1), ["pods-stop 2 pods of apps/Deployment shop/web stop (3 to 1)"]),
        (deployment(), deployment(replicas: 0), ["pods-stop! 3 pods of apps/Deployment shop/web stop (3 to 0)"]),
        (deployment(), deployment(more: "  minReadySeconds: 5\n"), []),
        (deployment(), "", ["pods-stop! 3 pods of apps/Deployment shop/web stop"]),
        ("", deployment(), []),
        ("apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent}\nspec: {template: {spec: {hostPID: false}}}\nstatus: {currentNumberScheduled: 7}\n",
         "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent}\nspec: {template: {spec: {hostPID: true}}}\n",
         ["pods-restart 7 pods of apps/DaemonSet shop/agent restart one after another (.spec.template.spec.hostPID)"]),
        ("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {replicas: 2, updateStrategy: {type: OnDelete}, template: {spec: {hostPID: false}}}\n",
         "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {replicas: 2, updateStrategy: {type: OnDelete}, template: {spec: {hostPID: true}}}\n",
         ["pods-keep 2 pods of apps/StatefulSet shop/db stay as they are although the template changes: updateStrategy OnDelete"]),
    ] as [(String, String, [String])])
    func saysWhichPodsRestartOrStop(_ before: String, _ after: String, _ expected: [String]) throws {
        #expect(try found(before, after).map { "\($0.code)\($0.isWarning ? "!" : "") \($0.message)" } == expected)
    }

    private static let settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: \"1\"}\n"

    @Test(arguments: [
        ("          envFrom: [{configMapRef: {name: settings}}]\n", "only when its pods restart"),
        ("          env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: a}}}]\n", "only when its pods restart"),
        ("      volumes: [{name: v, configMap: {name: settings}}]\n", "a minute or two"), ("      volumes: [{name: v, projected: {sources: [{configMap: {name: settings}}]}}]\n", "a minute or two"),
        ("      volumes: [{name: v, secret: {secretName: settings}}]\n", nil),
    ] as [(String, String?)])
    func saysWhoDoesNotNoticeAConfiguration(_ pod: String, _ when: String?) throws {
        let workload = Self.deployment(pod: pod)
        let consequences = try found(Self.settings, Self.settings.replacing("\"1\"", with: "\"2\""), kept: workload)
        #expect(consequences.map(\.code) == (when == nil ? [] : ["pods-unaware"]))
        if let when { #expect(consequences.first?.message.contains(when) == true) }
        // Pods that restart anyway read it anew.
        let both = try found(Self.settings + "---\n" + workload, Self.settings.replacing("\"1\"", with: "\"2\"") + "---\n" + workload.replacing("a:1", with: "a:2"))
        #expect(both.map(\.code) == ["pods-restart"])
        #expect(try found(Self.settings, "", kept: workload).map(\.code) == (when == nil ? [] : ["configuration-lost"]))
    }

    // MARK: Recreation

    private static let forced = "metadata: {name: web, annotations: {argocd.argoproj.io/sync-options: \"Force=true\"}}"

    @Test func tellsWhatCannotBeChangedFromWhatIsMadeAnew() throws {
        let after = Self.deployment().replacing("matchLabels: {app: web}", with: "matchLabels: {app: other}")
        let refused = try found(Self.deployment(), after)
        #expect(refused.map(\.code) == ["immutable-field"] && refused[0].message.contains(".spec.selector.matchLabels.app"))
        let forced = try found(Self.deployment().replacing("metadata: {name: web}", with: Self.forced), after.replacing("metadata: {name: web}", with: Self.forced))
        #expect(forced.map(\.code) == ["recreate", "pods-restart"], "\(forced)")
    }

    @Test(arguments: [
        ("apps/v1", "StatefulSet", "replicas: 1", "replicas: 2", false), ("apps/v1", "StatefulSet", "serviceName: a", "serviceName: b", true),
        ("apps/v1", "StatefulSet", "template: {a: 1}", "template: {a: 2}", false), ("batch/v1", "Job", "template: {a: 1}", "template: {a: 2}", true),
        ("batch/v1", "Job", "suspend: true", "suspend: false", false), ("v1", "PersistentVolumeClaim", "storageClassName: a", "storageClassName: b", true),
        ("v1", "PersistentVolumeClaim", "resources: {requests: {storage: 1Gi}}", "resources: {requests: {storage: 2Gi}}", false),
        ("v1", "Service", "clusterIP: 10.0.0.1", "clusterIP: 10.0.0.2", true), ("v1", "Service", "type: ClusterIP", "type: NodePort", false),
        ("v1", "Service", "x: y", "clusterIP: 10.0.0.2", false), ("v1", "PersistentVolume", "nfs: {server: a}", "nfs: {server: b}", true),
        ("example.org/v1", "Widget", "selector: a", "selector: b", false),
    ])
    func knowsTheFieldsThatCannotBeChanged(_ version: String, _ kind: String, _ before: String, _ after: String, _ isImmutable: Bool) throws {
        func text(_ spec: String) -> String { "apiVersion: \(version)\nkind: \(kind)\nmetadata: {name: x}\nspec: {\(spec)}\n" }
        let consequences = try found(text(before), text(after))
        #expect(consequences.contains { $0.code == "immutable-field" } == isImmutable, "\(consequences)")
    }

    @Test func aFrozenMapCannotBeChanged() throws {
        let frozen = Self.settings + "immutable: true\n"
        #expect(try found(frozen, frozen.replacing("\"1\"", with: "\"2\"")).map(\.code) == ["immutable-field"])
        #expect(try found(Self.settings, Self.settings.replacing("\"1\"", with: "\"2\"")).isEmpty)
    }

    // MARK: Loss

    private static let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {volumeName: pv-1}\n"

    @Test(arguments: [("Delete", "volume-lost", true), ("Retain", "volume-released", true), (nil, "volume-lost", true)] as [(String?, String, Bool)])
    func saysWhatBecomesOfAVolume(_ policy: String?, _ code: String, _ isWarning: Bool) throws {
        var facts = ConsequenceFacts()
        facts.reclaimPolicies[id("PersistentVolumeClaim", "data")] = policy
        let consequences = try found(Self.claim, "", facts: facts)
        #expect(consequences.map(\.code) == [code] && consequences[0].isWarning == isWarning && consequences[0].message.contains("pv-1"))
        #expect(policy != nil || consequences[0].message.contains("not known"))
    }

    @Test func saysWhatAStatefulSetLeavesOrTakesAlong() throws {
        let set = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {replicas: 3, volumeClaimTemplates: [{metadata: {name: data}}]}\n"
        #expect(try found(set, "").map(\.code) == ["pods-stop", "volumes-left"])
        #expect(try found(set.replacing("replicas: 3", with: "replicas: 3, persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}"), "").map(\.code) == ["pods-stop", "volume-lost"])
    }

    private static let balancer = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: LoadBalancer}\nstatus: {loadBalancer: {ingress: [{ip: 192.0.2.7}]}}\n"

    @Test func namesTheAddressOfALoadBalancerThatGoes() throws {
        for after in ["", Self.balancer.replacing("LoadBalancer}", with: "ClusterIP}")] {
            let consequences = try found(Self.balancer, after)
            #expect(consequences.map(\.code) == ["load-balancer-lost"] && consequences[0].message.contains("192.0.2.7"), "\(consequences)")
        }
        #expect(try found(Self.balancer, Self.balancer.replacing("LoadBalancer}", with: "LoadBalancer, loadBalancerIP: 192.0.2.9}")).map(\.code) == ["load-balancer-changed"])
        #expect(try found(Self.balancer, Self.balancer.replacing("LoadBalancer}", with: "LoadBalancer, ports: [{port: 1}]}")).isEmpty)
    }

    private static func ingress(_ name: String, _ hosts: String...) -> String {
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: \(name)}\nspec:\n  rules:\n" + hosts.map { "    - host: \($0)\n" }.joined()
    }

    @Test func namesHostsThatNobodyServesAnyMore() throws {
        #expect(try found(Self.ingress("a", "x.example", "y.example"), Self.ingress("a", "y.example")).map(\.message) == ["x.example is served no more by networking.k8s.io/Ingress shop/a"])
        #expect(try found(Self.ingress("a", "x.example"), Self.ingress("b", "x.example")).isEmpty, "another one serves it")
        #expect(try found(Self.ingress("a", "x.example"), "").map(\.code) == ["hosts-removed"])
    }

    @Test(arguments: [(4, "all 4 Widget"), (0, nil), (nil, "every Widget")] as [(Int?, String?)])
    func countsWhatGoesWithADefinition(_ count: Int?, _ words: String?) throws {
        var facts = ConsequenceFacts()
        facts.customResources[id("CustomResourceDefinition", "widgets.example.org", group: "apiextensions.k8s.io", namespace: nil)] = count
        let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.org}\nspec: {group: example.org, names: {kind: Widget}}\n"
        let consequences = try found(definition, "", facts: facts)
        #expect(consequences.map(\.code) == (words == nil ? [] : ["custom-resources-deleted"]))
        if let words { #expect(consequences[0].message.contains(words)) }
    }

    @Test func saysWhatANamespaceTakesAlong() throws {
        let consequences = try found("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n" + Self.settings, "")
        #expect(consequences.map(\.code) == ["namespace-deleted"] && consequences[0].message.contains("1 object of this plan"))
    }

    // MARK: Limits

    private static func budget(_ rule: String) -> String {
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\nspec: {\(rule), selector: {matchLabels: {app: web}}}\n"
    }

    @Test(arguments: [
        ("minAvailable: 3", 3, true), ("minAvailable: 2", 3, false), ("minAvailable: 2", 2, true), ("maxUnavailable: 0", 3, true),
        ("maxUnavailable: 1", 1, false), ("minAvailable: 50%", 1, true), ("minAvailable: 50%", 2, false), ("maxUnavailable: 0%", 5, true), ("minAvailable: 3", 0, false),
    ])
    func saysWhichBudgetBlocksEveryEviction(_ rule: String, _ replicas: Int, _ isBlocked: Bool) throws {
        let workload = Self.deployment(replicas: replicas)
        #expect(try found("", Self.budget(rule), kept: workload).map(\.code) == (isBlocked ? ["disruption-blocked"] : []))
        // Nothing that this plan brings about.
        #expect(try found("", Self.settings, kept: workload + "---\n" + Self.budget(rule)).isEmpty)
    }

    private func quota(_ hard: [String: JSONValue], used: [String: JSONValue]) throws -> ConsequenceFacts {
        var facts = ConsequenceFacts()
        var object = try Self.live("apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: all}\n")
        object.body["status"] = ["hard": .object(JSONObject(hard.map { .init(key: $0.key, value: $0.value) })), "used": .object(JSONObject(used.map { .init(key: $0.key, value: $0.value) }))]
        facts.quotas = [object]
        return facts
    }

    @Test(arguments: [
        ("pods", "5", "4", true), ("pods", "7", "4", false), ("requests.cpu", "1", "500m", true), ("requests.cpu", "2", "500m", false), ("cpu", "1", "500m", true),
        ("limits.memory", "1Gi", "0", true), ("requests.memory", "2Gi", "0", false), ("count/deployments.apps", "1", "1", true), ("count/deployments.apps", "2", "1", false),
        ("services", "0", "0", false),
    ])
    func saysWhatAQuotaDoesNotHold(_ name: String, _ hard: String, _ used: String, _ isExceeded: Bool) throws {
        let pod = "          resources: {requests: {cpu: 200m}, limits: {memory: 512Mi}}\n"
        let facts = try quota([name: .string(hard)], used: [name: .string(used)])
        let consequences = try found("", Self.deployment(pod: pod), facts: facts)
        #expect(consequences.map(\.code) == (isExceeded ? ["quota-exceeded"] : []), "\(consequences)")
        #expect(try found(Self.deployment(pod: pod), Self.deployment(more: "  minReadySeconds: 1\n", pod: pod), facts: facts).isEmpty, "no more than now")
    }

    @Test func namesEachPermissionThatIsMissing() throws {
        var facts = ConsequenceFacts()
        facts.denied[.init(verb: "patch", group: "apps", resource: "deployments", namespace: "shop")] = "no role binds it"
        facts.denied[.init(verb: "delete", group: "", resource: "namespaces", namespace: "")] = ""
        facts.unread = ["whether quotas suffice is not known: forbidden"]
        #expect(
            foreseeableConsequences(of: plan([], desired: desiredState([]), inventory: Inventory(), policy: PlanPolicy(prune: true)), live: LiveState(), facts: facts).map(\.message) == [
                "not permitted to delete namespaces", "not permitted to patch deployments.apps in shop: no role binds it", "whether quotas suffice is not known: forbidden",
            ])
    }
}

extension String {
    /// The parts between occurrences of a text.
    fileprivate func components(_ separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
