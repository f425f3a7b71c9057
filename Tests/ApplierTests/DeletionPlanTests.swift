import ResourceModel
import Testing

@testable import Applier

/// What becomes of an application's objects when it is deleted, and in what order.
@Suite struct DeletionPlanTests {
    private func options(_ texts: [String]) -> SyncOptions {
        var unreadable: [String] = []
        return SyncOptions(parsing: texts, unreadable: &unreadable)
    }

    private func object(_ kind: String, _ name: String, group: String = "", wave: Int = 0, namespace: String? = "shop", _ options: String? = nil) -> LiveObject {
        var annotations = ["argocd.argoproj.io/sync-wave": "\(wave)"]
        annotations[SyncOptions.annotation] = options
        return live(kind, name, group: group, namespace: namespace, annotations: annotations)
    }

    private func planned(
        _ objects: [LiveObject], hooks: [Manifest] = [], cascade: Cascade = .foreground, isConfirmed: Bool = false, application: [String] = [],
        inventory: Inventory = Inventory()
    ) -> Plan {
        let policy = DeletionPolicy(cascade: cascade, isConfirmed: isConfirmed, syncOptions: options(application))
        let changes = objects.shuffled().compactMap { object in
            deletion(of: object, application: "shop", policy: policy).map { Change(id: object.id, action: $0, live: object) }
        }
        return deletionPlan(
            changes, hooks: steps(hooks), application: "shop", revision: desiredState([]).revision, inventory: inventory, policy: policy)
    }

    private func steps(_ hooks: [Manifest]) -> [PlanStep] {
        hookSteps(hooks, application: "shop", applySet: ApplySet(application: "shop"), revision: desiredState([]).revision, startedAt: 7) {
            $0.deletions.map(\.phase)
        }
    }

    private func hook(_ name: String, _ phases: String, wave: Int = 0, namespace: String = "shop") -> Manifest {
        manifest("Job", name, group: "batch", namespace: namespace, annotations: [Hook.annotation: phases, "argocd.argoproj.io/sync-wave": "\(wave)"])
    }

    private func words(_ plan: Plan) -> [String] { plan.steps.map { "\($0.phase.rawValue) \($0.wave) \($0.verb.rawValue) \($0.change.id.name)" } }

    // MARK: What becomes of one object

    @Test(arguments: [
        (nil, nil, nil), ("Delete=false", nil, .deleteDisabled), (nil, "Delete=false", .deleteDisabled), ("Delete=true", "Delete=false", nil),
        ("Prune=false", nil, nil), (nil, "Prune=false", nil), ("Delete=true", nil, nil),
    ] as [(String?, String?, SkipReason?)])
    func anObjectsOwnDeleteOptionWins(_ own: String?, _ application: String?, _ expected: SkipReason?) {
        let plan = planned([object("ConfigMap", "a", own)], application: application.map { [$0] } ?? [])
        #expect(plan.skipped.map(\.action) == (expected.map { [.skip($0)] } ?? []))
        #expect(plan.steps.map(\.verb) == (expected == nil ? [.delete] : [.release]), "what stays is nobody's")
    }

    @Test func leavesWhatAnotherApplicationTracksAndDoesNotTouchIt() {
        let plan = planned([live("ConfigMap", "a", owner: "payments")])
        #expect(plan.steps.isEmpty && plan.skipped.map(\.action) == [.skip(.ownedByApplication("payments"))])
    }

    @Test func ignoresObjectsThatOnlyCarryACopyOfTheLabel() {
        let plan = planned([live("Endpoints", "a", owner: nil)])
        #expect(plan.steps.isEmpty && plan.skipped.isEmpty)
    }

    @Test func leavesWhatAControllerOwns() {
        let plan = planned([live("Pod", "a", more: ["ownerReferences": [["kind": "ReplicaSet", "name": "web", "controller": true]]])])
        #expect(plan.skipped.map(\.action) == [.skip(.ownedByController("ReplicaSet web"))])
    }

    @Test func leavesWhatHelmKeeps() {
        let plan = planned([live("Secret", "a", annotations: ["helm.sh/resource-policy": "keep"])])
        #expect(words(plan) == ["Delete 0 release a"] && plan.skipped.map(\.action) == [.skip(.keptByHelm)])
    }

    @Test func leavesDefinitionsUnlessTheyThemselvesPermitIt() {
        func definition(_ options: String?) -> LiveObject {
            object("CustomResourceDefinition", "widgets", group: "apiextensions.k8s.io", namespace: nil, options)
        }
        #expect(planned([definition(nil)]).skipped.map(\.action) == [.skip(.definition)])
        #expect(planned([definition(nil)], application: ["Delete=true"]).skipped.count == 1, "the application can't")
        #expect(planned([definition("Delete=true")]).steps.map(\.verb) == [.delete])
    }

    @Test func deletesTheObjectsOfEarlierHooksButNotThoseOfTheDeletionItself() {
        let plan = planned([
            live("Job", "migrate", group: "batch", annotations: [Hook.annotation: "PreSync"]),
            live("Job", "farewell", group: "batch", annotations: [Hook.annotation: "PostDelete"]),
        ])
        #expect(words(plan) == ["Delete 0 delete migrate"])
    }

    @Test func orphanReleasesEverythingAndDeletesNothing() {
        let plan = planned([object("ConfigMap", "a", wave: 3), object("Secret", "b", "Delete=false"), object("Secret", "c", "Delete=confirm")], cascade: .orphan)
        #expect(words(plan) == ["Delete 0 release a", "Delete 0 release b", "Delete 0 release c"])
        #expect(plan.waves.count == 1 && plan.skipped.isEmpty && plan.refusals.isEmpty)
    }

    // MARK: Confirmations

    @Test(arguments: [
        ("Delete=confirm", nil, true), ("Prune=confirm", nil, true), (nil, "Delete=confirm", true), (nil, "Prune=confirm", true),
        ("Delete=true", "Delete=confirm", false), (nil, nil, false), ("Delete=false", "Prune=confirm", false),
    ] as [(String?, String?, Bool)])
    func nothingGoesBeforeEverythingIsConfirmed(_ own: String?, _ application: String?, _ isRefused: Bool) {
        let objects = [object("ConfigMap", "a", own), object("Secret", "b", "Delete=true,Prune=true")]
        let plan = planned(objects, application: application.map { [$0] } ?? [])
        #expect(plan.refusals.map(\.code) == (isRefused ? ["unconfirmed-deletion"] : []))
        if isRefused {
            #expect(plan.refusals[0].objects == [id("ConfigMap", "a")])
            #expect(plan.refusals[0].description.contains("--confirm-prune") && plan.refusals[0].description.contains("argocd.argoproj.io/deletion-approved"))
        }
        #expect(planned(objects, isConfirmed: true, application: application.map { [$0] } ?? []).refusals.isEmpty)
    }

    // MARK: Order

    @Test func goesByDescendingWaveAndAgainstTheOrderOfKinds() {
        let plan = planned([
            object("ConfigMap", "config"), object("Deployment", "web", group: "apps"), object("Service", "svc"), object("Secret", "first", wave: -1),
            object("Deployment", "late", group: "apps", wave: 2),
        ])
        #expect(
            words(plan) == ["Delete 2 delete late", "Delete 0 delete web", "Delete 0 delete svc", "Delete 0 delete config", "Delete -1 delete first"])
    }

    @Test func runsHooksBeforeAndAfterInTheirWaves() {
        let plan = planned(
            [object("ConfigMap", "a", wave: 9)],
            hooks: [hook("bye", "PostDelete"), hook("second", "PreDelete", wave: 1), hook("first", "PreDelete"), hook("never", "PreSync"), hook("both", "PreDelete,PostDelete", wave: 5)])
        #expect(
            words(plan) == [
                "PreDelete 0 apply first", "PreDelete 1 apply second", "PreDelete 5 apply both", "Delete 9 delete a", "PostDelete 0 apply bye",
                "PostDelete 5 apply both",
            ])
    }

    @Test func hooksThatRanInADeletionThatDidNotEndRunNoMore() {
        let hooks = [hook("backup", "PreDelete"), hook("bye", "PostDelete")]
        let done = Inventory(completedPreDelete: preDeleteDigest(of: steps(hooks)))
        #expect(words(planned([], hooks: hooks, inventory: done)) == ["PostDelete 0 apply bye"])
        let other = Inventory(completedPreDelete: preDeleteDigest(of: steps([hook("other", "PreDelete", wave: 1)])))
        #expect(planned([], hooks: hooks, inventory: other).steps.count == 2, "they are others now")
    }

    @Test func aNamespaceGoesNotBeforeTheLastObjectInIt() {
        let plan = planned([object("Namespace", "shop", wave: 5, namespace: nil), object("ConfigMap", "a", wave: 1), object("ConfigMap", "b", wave: 3)])
        #expect(words(plan) == ["Delete 3 delete b", "Delete 1 delete a", "Delete 1 delete shop"])
    }

    @Test func aNamespaceInWhichPostDeleteHooksRunGoesAfterThem() {
        let plan = planned(
            [object("Namespace", "shop", namespace: nil), object("ConfigMap", "a")], hooks: [hook("bye", "PostDelete", wave: 2)])
        #expect(words(plan) == ["Delete 0 delete a", "PostDelete 2 apply bye", "PostDelete 3 delete shop"])
    }

    @Test func aDefinitionGoesNotBeforeTheLastObjectOfItsKind() {
        var definition = object("CustomResourceDefinition", "widgets.x.io", group: "apiextensions.k8s.io", wave: 4, namespace: nil, "Delete=true")
        definition.body["spec"] = ["group": "x.io", "names": ["kind": "Widget"]]
        let plan = planned([definition, object("Widget", "w", group: "x.io", wave: -2)])
        #expect(words(plan) == ["Delete -2 delete w", "Delete -2 delete widgets.x.io"])
    }

    @Test func whatStaysIsReleasedInTheLastWave() {
        let plan = planned([object("ConfigMap", "kept", wave: 7, "Delete=false"), object("ConfigMap", "a", wave: 1), object("ConfigMap", "b", wave: 2)])
        #expect(words(plan) == ["Delete 2 delete b", "Delete 1 delete a", "Delete 1 release kept"])
    }

    @Test func thePlansIdFollowsObjectsAndCascadeButNotTheirStatus() {
        let object = object("ConfigMap", "a")
        var touched = object
        touched.resourceVersion = "2"
        var other = object
        other.uid = "uid-2"
        #expect(planned([object]).id == planned([touched]).id)
        #expect(planned([object]).id != planned([other]).id)
        #expect(planned([object]).id != planned([object], cascade: .orphan).id)
        #expect(planned([object]).id != planned([object], hooks: [hook("bye", "PostDelete")]).id)
    }

    // MARK: Finalizers

    @Test(arguments: [
        ([], nil), (["resources-finalizer.argocd.argoproj.io"], .foreground), (["resources-finalizer.argocd.argoproj.io/foreground"], .foreground),
        (["resources-finalizer.argocd.argoproj.io/background"], .background), (["example.com/x"], nil),
        (["x/y", "resources-finalizer.argocd.argoproj.io/background", "resources-finalizer.argocd.argoproj.io"], .background),
        (["pre-delete-finalizer.argocd.argoproj.io"], nil), (["resources-finalizer.argocd.argoproj.io/other"], nil),
    ] as [([String], Cascade?)])
    func finalizersSayWhatBecomesOfTheObjects(_ finalizers: [String], _ expected: Cascade?) { #expect(Cascade(finalizers: finalizers) == expected) }

    @Test(arguments: [
        ([], false), (["pre-delete-finalizer.argocd.argoproj.io"], true), (["post-delete-finalizer.argocd.argoproj.io/cleanup"], true),
        (["resources-finalizer.argocd.argoproj.io"], false), (["post-delete-finalizer.argocd.argoproj.iox"], false),
    ] as [([String], Bool)])
    func finalizersSayWhetherThereAreHooks(_ finalizers: [String], _ expected: Bool) { #expect(Cascade.namesHooks(finalizers) == expected) }
}
