import ResourceModel
import Testing

@testable import Applier

@Suite struct PlannerTests {
    private func planned(
        _ changes: [Change], manifests: Int = 1, owned: Int? = nil, policy: PlanPolicy = PlanPolicy(prune: true)
    ) -> Plan {
        let members = (0..<(owned ?? changes.count)).map { id("ConfigMap", "owned-\($0)") }
        return plan(
            changes, desired: desiredState((0..<manifests).map { manifest("ConfigMap", "declared-\($0)") }),
            inventory: Inventory(members: Set(members)), policy: policy)
    }

    private func create(_ kind: String, _ name: String = "x", group: String = "", wave: String? = nil) -> Change {
        let manifest = manifest(kind, name, group: group, annotations: wave.map { ["argocd.argoproj.io/sync-wave": $0] } ?? [:])
        return Change(id: manifest.id, action: .create, manifest: manifest)
    }

    private func prune(_ kind: String, _ name: String = "x", group: String = "", annotations: [String: String] = [:]) -> Change {
        let object = live(kind, name, group: group, annotations: annotations)
        return Change(id: object.id, action: .prune, live: object)
    }

    @Test func writesInArgoCDsOrderOfKinds() {
        let kinds = [
            "Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodDisruptionBudget", "ServiceAccount", "Secret", "ConfigMap",
            "StorageClass", "PersistentVolume", "PersistentVolumeClaim", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "Role",
            "RoleBinding", "Service", "DaemonSet", "Pod", "ReplicaSet", "Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob",
            "IngressClass", "Ingress", "APIService", "Widget",
        ]
        let plan = planned(kinds.shuffled().map { create($0) })
        #expect(plan.steps.map(\.change.id.kind) == kinds)
    }

    @Test func takesNamesInOrderInsideAKind() {
        let plan = planned(["c", "a", "b"].map { create("ConfigMap", $0) })
        #expect(plan.steps.map(\.change.id.name) == ["a", "b", "c"])
        #expect(plan.waves.count == 1 && plan.waves[0].batches.count == 1)
    }

    @Test func ordersWavesBeforeKinds() {
        let plan = planned([
            create("Namespace", "late", wave: "5"), create("Deployment", "first", group: "apps", wave: "-1"), create("ConfigMap", "middle"),
        ])
        #expect(plan.steps.map(\.change.id.name) == ["first", "middle", "late"])
        #expect(plan.waves.map(\.number) == [-1, 0, 5])
    }

    @Test func deletesBeforeItWritesAndInTheOppositeOrderOfKinds() {
        let plan = planned([prune("ConfigMap"), prune("Deployment", group: "apps"), prune("Service"), create("Secret")])
        #expect(plan.steps.map { "\($0.verb) \($0.change.id.kind)" } == ["delete Deployment", "delete Service", "delete ConfigMap", "apply Secret"])
    }

    @Test func leavesUnchangedObjectsAlone() {
        let object = live("ConfigMap", "same")
        let plan = planned([Change(id: object.id, action: .unchanged, manifest: manifest("ConfigMap", "same"), live: object)])
        #expect(plan.steps.isEmpty && plan.unchanged == [object.id])
    }

    // MARK: Guards

    @Test func refusesToDeleteEverythingWhenNothingIsDeclared() throws {
        let plan = planned([prune("ConfigMap")], manifests: 0)
        let refusal = try #require(plan.refusals.first)
        #expect(refusal.code == "empty-render" && refusal.objects == [id("ConfigMap", "x")])
        #expect(refusal.description.contains("--allow-empty"))
        #expect(planned([prune("ConfigMap")], manifests: 0, policy: PlanPolicy(prune: true, allowEmpty: true)).refusals.isEmpty)
    }

    @Test(arguments: [
        // deletions, owned objects, refused
        (10, 10, false), (11, 11, true), (11, 21, true), (11, 22, false), (11, 100, false), (60, 100, true),
    ])
    func refusesMassDeletion(_ deletions: Int, _ owned: Int, _ isRefused: Bool) {
        let changes = (0..<deletions).map { prune("ConfigMap", "x\($0)") }
        let plan = planned(changes, owned: owned)
        #expect(plan.refusals.map(\.code) == (isRefused ? ["prune-budget"] : []))
        // What the refusal names permits it, and one less does not.
        #expect(planned(changes, owned: owned, policy: PlanPolicy(prune: true, budgetCount: deletions)).refusals.isEmpty)
        #expect(planned(changes, owned: owned, policy: PlanPolicy(prune: true, budgetCount: deletions - 1)).refusals.isEmpty != (deletions * 2 > owned))
    }

    @Test func refusesAnotherApplicationsObject() throws {
        let object = live("ConfigMap", "x", owner: "payments")
        let change = Change(id: object.id, action: .configure, manifest: manifest("ConfigMap", "x"), live: object)
        let plan = planned([change])
        #expect(plan.refusals.map(\.code) == ["shared-object"] && plan.steps.isEmpty)
        #expect(plan.refusals[0].message.contains("payments") && plan.refusals[0].message.contains("app/all.yaml:1"))
        #expect(planned([change], policy: PlanPolicy(prune: true, adopt: true)).steps.count == 1)
    }

    @Test func takesAnObjectThatNobodyTracks() {
        let object = live("ConfigMap", "x", owner: nil)
        #expect(planned([Change(id: object.id, action: .configure, manifest: manifest("ConfigMap", "x"), live: object)]).steps.count == 1)
    }

    /// Nothing is deleted because something could not be read.
    @Test func doesNotPruneBesideAFileThatCouldNotBeRead() {
        let change = prune("ConfigMap")
        let place = SourceLocation(path: "app/cut-off.yaml", line: 3)
        let warning = Problem(code: Problem.unreadableFile, severity: .warning, message: "m", location: place)
        var desired = desiredState([manifest("ConfigMap", "x")])
        desired.warnings = [warning]
        let plan = plan([change], desired: desired, inventory: Inventory(members: [change.id]), policy: PlanPolicy(prune: true))
        #expect(plan.steps.isEmpty && plan.skipped.map(\.action) == [.skip(.sourceUnreadable(place))])
    }

    @Test func doesNotPruneWhereThePolicyDoesNot() {
        let plan = planned([prune("ConfigMap")], policy: PlanPolicy(prune: false))
        #expect(plan.steps.isEmpty && plan.skipped.map(\.action) == [.skip(.pruneDisabled)])
    }

    @Test(arguments: [
        ("Prune=false", nil, SkipReason.pruneDisabled), ("Prune=confirm", nil, .pruneUnconfirmed), (nil, "Prune=false", .pruneDisabled),
        ("Prune=true", "Prune=false", nil), (nil, nil, nil),
    ] as [(String?, String?, SkipReason?)])
    func letsAResourcesOwnPruneOptionWin(_ resource: String?, _ application: String?, _ expected: SkipReason?) {
        var unreadable: [String] = []
        let options = SyncOptions(parsing: application.map { [$0] } ?? [], unreadable: &unreadable)
        let plan = planned(
            [prune("ConfigMap", annotations: resource.map { [SyncOptions.annotation: $0] } ?? [:])],
            policy: PlanPolicy(prune: true, syncOptions: options))
        #expect(plan.skipped.map(\.action) == (expected.map { [.skip($0)] } ?? []))
        #expect(plan.steps.isEmpty == (expected != nil))
    }

    @Test func doesNotPruneWhatAControllerOwns() {
        let object = live("Pod", "x", more: ["ownerReferences": [["kind": "ReplicaSet", "name": "web", "controller": true]]])
        #expect(planned([Change(id: object.id, action: .prune, live: object)]).skipped.map(\.action) == [.skip(.ownedByController("ReplicaSet web"))])
    }

    @Test func doesNotPruneANamespaceInUse() {
        let object = live("Namespace", "x", namespace: nil)
        let plan = planned([Change(id: object.id, action: .skip(.namespaceInUse("Secret x/y")), live: object)])
        #expect(plan.steps.isEmpty && plan.skipped.count == 1)
    }

    @Test(arguments: [
        (["argocd.argoproj.io/hook": "PreSync"], "refused"), (["argocd.argoproj.io/hook": "PostSync"], "refused"),
        (["argocd.argoproj.io/hook": "Skip"], "skipped"), (["argocd.argoproj.io/hook": "Sync"], "applied"), (["helm.sh/hook": "pre-install"], "refused"),
        (["helm.sh/hook": "test"], "skipped"), (["helm.sh/hook": "crd-install"], "applied"), ([:], "applied"),
    ])
    func doesNotApplyAHookAsAPlainObject(_ annotations: [String: String], _ expected: String) {
        let manifest = manifest("Job", "x", group: "batch", annotations: annotations)
        let plan = planned([Change(id: manifest.id, action: .create, manifest: manifest)])
        let actual = !plan.refusals.isEmpty ? "refused" : !plan.skipped.isEmpty ? "skipped" : "applied"
        #expect(actual == expected)
        #expect(plan.refusals.allSatisfy { $0.code == "hook-unsupported" })
    }

    @Test func givesTheSamePlanAnotherIdWhenSomethingMoved() {
        let object = live("ConfigMap", "x")
        var moved = object
        moved.resourceVersion = "2"
        func planOf(_ object: LiveObject) -> Plan {
            planned([Change(id: object.id, action: .configure, manifest: manifest("ConfigMap", "x"), live: object)])
        }
        #expect(planOf(object).id == planOf(object).id)
        #expect(planOf(object).id != planOf(moved).id)
        #expect(planOf(object).preconditions[object.id]?.uid == "uid-x")
    }
}
