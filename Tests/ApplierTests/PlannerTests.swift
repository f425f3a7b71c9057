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

    @Test(arguments: [(10, 10, false), (11, 11, true), (11, 21, true), (11, 22, false), (11, 100, false), (60, 100, true)])
    func refusesToMakeMostThingsAnew(_ recreations: Int, _ owned: Int, _ isRefused: Bool) throws {
        let options = [SyncOptions.annotation: "Force=true,Replace=true"]
        let changes = (0..<recreations).map { index in
            Change(
                id: id("ConfigMap", "x\(index)"), action: .configure, manifest: manifest("ConfigMap", "x\(index)", annotations: options),
                live: live("ConfigMap", "x\(index)"))
        }
        let plan = planned(changes, owned: owned)
        #expect(plan.refusals.map(\.code) == (isRefused ? ["recreate-budget"] : []))
        #expect(plan.steps.allSatisfy { $0.verb == .recreate })
        if isRefused {
            #expect(plan.refusals[0].objects.count == recreations && plan.refusals[0].description.contains("--recreate-budget \(recreations)"))
            #expect(planned(changes, owned: owned, policy: PlanPolicy(prune: true, recreateCount: recreations - 1)).refusals.count == 1)
        }
        #expect(planned(changes, owned: owned, policy: PlanPolicy(prune: true, recreateCount: recreations)).refusals.isEmpty)
    }

    /// `Force=true` makes an object anew only where a field cannot be changed; what can be changed counts for nothing.
    @Test func countsForcedWritesOfFieldsThatCannotBeChanged() {
        func change(_ index: Int, _ path: String) -> Change {
            Change(
                id: id("Deployment", "x\(index)", group: "apps"), action: .configure, fields: [FieldChange(path: path, before: "a", after: "b")],
                manifest: manifest("Deployment", "x\(index)", group: "apps", annotations: [SyncOptions.annotation: "Force=true"]),
                live: live("Deployment", "x\(index)", group: "apps"))
        }
        #expect(planned((0..<11).map { change($0, ".spec.selector.matchLabels.app") }).refusals.map(\.code) == ["recreate-budget"])
        #expect(planned((0..<11).map { change($0, ".spec.replicas") }).refusals.isEmpty)
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

    // MARK: Options (rows of Argo CD's own tests: none, Force, Force and Replace, with and without a live object)

    @Test(arguments: [
        ("", "", nil, true, .apply, false), ("", "", nil, false, .apply, false), ("Replace=true", "", nil, true, .replace, false),
        ("Replace=true", "", nil, false, .create, false), ("", "Replace=true", nil, true, .replace, false),
        ("", "", "Replace=true", true, .replace, false), ("Replace=false", "", "Replace=true", true, .apply, false),
        ("Force=true", "", nil, true, .apply, true), ("Force=true,Replace=true", "", nil, true, .recreate, false),
        ("", "Force=true,Replace=true", nil, true, .recreate, false), ("Force=true,Replace=true", "", nil, false, .create, false),
        ("Replace=true,ServerSideApply=true", "", nil, true, .replace, false), ("ServerSideApply=true", "", nil, true, .apply, false),
        ("ServerSideApply=false", "", nil, true, .apply, false),
    ] as [(String, String, String?, Bool, PlanStep.Verb, Bool)])
    func writesAsTheOptionsSay(
        _ declared: String, _ there: String, _ application: String?, _ isThere: Bool, _ verb: PlanStep.Verb, _ force: Bool
    ) throws {
        var unreadable: [String] = []
        let options = SyncOptions(parsing: application.map { [$0] } ?? [], unreadable: &unreadable)
        let manifest = manifest("ConfigMap", "x", annotations: declared.isEmpty ? [:] : [SyncOptions.annotation: declared])
        let object = live("ConfigMap", "x", annotations: there.isEmpty ? [:] : [SyncOptions.annotation: there])
        let change = Change(id: manifest.id, action: isThere ? .configure : .create, manifest: manifest, live: isThere ? object : nil)
        let step = try #require(planned([change], policy: PlanPolicy(prune: true, syncOptions: options)).steps.first)
        #expect(step.verb == verb && step.force == force)
    }

    @Test(arguments: [("Namespace", ""), ("CustomResourceDefinition", "apiextensions.k8s.io")])
    func neverDeletesWhatTakesOthersAlong(_ kind: String, _ group: String) throws {
        let annotations = [SyncOptions.annotation: "Force=true,Replace=true"]
        let manifest = manifest(kind, "x", group: group, namespace: nil, annotations: annotations)
        let change = Change(id: manifest.id, action: .configure, manifest: manifest, live: live(kind, "x", group: group, namespace: nil))
        #expect(planned([change]).steps.map(\.verb) == [.replace])
    }

    @Test func prunesWhatWasConfirmed() {
        let change = prune("ConfigMap", annotations: [SyncOptions.annotation: "Prune=confirm"])
        #expect(planned([change]).steps.isEmpty)
        #expect(planned([change], policy: PlanPolicy(prune: true, isConfirmed: true)).steps.map(\.verb) == [.delete])
    }

    @Test func laterWavesWaitForUnhealthyObjectsThatNeedNoWrite() {
        let waiting = live("Pod", "x", annotations: ["argocd.argoproj.io/sync-wave": "1"], more: ["deletionTimestamp": "2026-01-01T00:00:00Z"])
        let same = Change(
            id: waiting.id, action: .unchanged, manifest: manifest("Pod", "x", annotations: ["argocd.argoproj.io/sync-wave": "1"]), live: waiting)
        #expect(planned([same, create("ConfigMap", wave: "2")]).waves.map(\.awaits) == [[waiting.id], []])
        #expect(planned([same, create("ConfigMap", wave: "1")]).waves.map(\.awaits) == [[waiting.id]])
        #expect(planned([same, create("ConfigMap", wave: "0")]).waves.map(\.awaits) == [[]], "nothing comes after it")
    }

    // MARK: Hooks

    private func steps(ofHook annotations: [String: String], name: String = "h") -> [PlanStep] {
        hookSteps(
            [manifest("Job", name, group: "batch", annotations: annotations)], application: "shop", applySet: ApplySet(application: "shop"),
            revision: desiredState([]).revision, startedAt: 7)
    }

    @Test func hooksRunWhenSomethingIsWrittenOrTheyChanged() throws {
        let hook = manifest("Job", "h", group: "batch", annotations: [Hook.annotation: "PreSync"])
        let desired = desiredState([hook, manifest("ConfigMap", "x")])
        let steps = steps(ofHook: [Hook.annotation: "PreSync"])
        func count(_ changes: [Change], completed: String?, hooks: PlanPolicy.Hooks = .whenNeeded) -> Int {
            plan(
                changes, hooks: steps, desired: desired, inventory: Inventory(completedHooks: completed),
                policy: PlanPolicy(prune: true, hooks: hooks)
            ).steps.filter { $0.hook != nil }.count
        }
        let done = hooksDigest(of: desired)
        #expect(count([create("ConfigMap")], completed: done) == 1, "something is written")
        #expect(count([], completed: done) == 0, "nothing to do")
        #expect(count([], completed: nil) == 1 && count([], completed: "other") == 1, "they never completed, or are others now")
        #expect(count([], completed: done, hooks: .always) == 1 && count([create("ConfigMap")], completed: nil, hooks: .never) == 0)
    }

    @Test func aHookInTwoPhasesRunsTwice() {
        #expect(steps(ofHook: [Hook.annotation: "PostSync,PreSync"]).map(\.phase) == [.preSync, .postSync])
    }

    @Test func hooksWithoutANameGetOneEach() throws {
        var body = manifest("Job", "x", group: "batch", annotations: [Hook.annotation: "PreSync"]).body
        body[path: "metadata", "name"] = nil
        body[path: "metadata", "generateName"] = "migrate-"
        var unnamed = manifest(body)
        unnamed.id.name = "migrate-"
        let steps = hookSteps(
            [unnamed, unnamed], application: "shop", applySet: ApplySet(application: "shop"), revision: desiredState([]).revision, startedAt: 7)
        #expect(steps.map(\.change.id.name) == ["migrate-aaaaaaa-presync-7", "migrate-aaaaaaa-presync-7-2"])
        let sent = try #require(steps[0].change.manifest?.body)
        #expect(sent[path: "metadata", "name"] == "migrate-aaaaaaa-presync-7" && sent[path: "metadata", "generateName"] == nil)
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
