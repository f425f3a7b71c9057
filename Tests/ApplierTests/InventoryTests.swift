import ResourceModel
import Testing

@testable import Applier

@Suite struct InventoryTests {
    @Test func namesAnApplySetAsTheKEPDoes() {
        // base64url(sha256("application-shop.reconciler-system.ConfigMap.")), computed by other means.
        #expect(ApplySet(application: "shop").id == "applyset-9580bizD3upAhoix-YgfJ303Up03fNhT42ADujgvxv0-v1")
        #expect(ApplySet(application: "shop").id != ApplySet(application: "shop2").id)
        #expect(ApplySet(application: "shop").id.count <= 63)
    }

    @Test func readsWhatItWrote() throws {
        let set = ApplySet(application: "shop")
        let kinds: Set = [GroupKind(group: "apps", kind: "Deployment"), GroupKind(group: "", kind: "ConfigMap"), GroupKind(group: "a.example.com", kind: "B")]
        let parent = set.parentObject(groupKinds: kinds, namespaces: ["shop", "other"])
        #expect(parent[path: "metadata", "annotations", ApplySet.groupKindsAnnotation] == "ConfigMap,B.a.example.com,Deployment.apps")
        let promise = try set.promise(of: parent)
        #expect(promise.groupKinds == kinds && promise.namespaces == ["shop", "other"])
    }

    @Test(arguments: [ApplySet.toolingAnnotation, ApplySet.groupKindsAnnotation])
    func neverTakesADamagedInventoryForAnEmptyOne(_ annotation: String) {
        let set = ApplySet(application: "shop")
        var parent = set.parentObject(groupKinds: [], namespaces: [])
        parent[path: "metadata", "annotations", annotation] = nil
        #expect(throws: Problem.self) { try set.promise(of: parent) }
    }

    @Test func refusesAnotherToolsInventory() {
        let set = ApplySet(application: "shop")
        var parent = set.parentObject(groupKinds: [], namespaces: [])
        parent[path: "metadata", "annotations", ApplySet.toolingAnnotation] = "kubectl/v1.30"
        #expect(throws: Problem.self) { try set.promise(of: parent) }
        let foreign = ApplySet(application: "other").parentObject(groupKinds: [], namespaces: [])
        #expect(throws: Problem.self) { try set.promise(of: foreign) }
    }

    @Test(arguments: [
        ("shop:apps/Deployment:web/x", ResourceID(group: "apps", kind: "Deployment", namespace: "web", name: "x")),
        ("shop:/ConfigMap:web/x", ResourceID(group: "", kind: "ConfigMap", namespace: "web", name: "x")),
        ("shop:rbac.authorization.k8s.io/ClusterRole:/system:x:y", ResourceID(group: "rbac.authorization.k8s.io", kind: "ClusterRole", namespace: nil, name: "system:x:y")),
    ])
    func tracksAsArgoCDDoes(_ text: String, _ expected: ResourceID) throws {
        let tracking = try #require(TrackingID(parsing: text))
        #expect(tracking.application == "shop" && tracking.id == expected && tracking.description == text)
    }

    @Test(arguments: ["", "shop", "shop:apps/Deployment", ":apps/Deployment:a/b", "shop:Deployment:a/b", "shop:apps/Deployment:b"])
    func takesNoOtherTextForATrackingID(_ text: String) {
        #expect(TrackingID(parsing: text) == nil)
    }

    @Test func aCopiedAnnotationOwnsNothing() {
        var copy = live("ReplicaSet", "web-1", group: "apps", owner: nil)
        copy.body[path: "metadata", "annotations", TrackingID.annotation] = "shop:apps/Deployment:shop/web"
        #expect(owningApplication(of: copy) == nil)
        #expect(owningApplication(of: live("ConfigMap", "x", owner: "shop")) == "shop")
        // Argo CD writes the destination's namespace for cluster-scoped objects.
        var role = live("ClusterRole", "r", group: "rbac.authorization.k8s.io", namespace: nil, owner: nil)
        role.body[path: "metadata", "annotations", TrackingID.annotation] = "shop:rbac.authorization.k8s.io/ClusterRole:shop/r"
        #expect(owningApplication(of: role) == "shop")
    }

    @Test func sendsNeitherServerFieldsNorPlainSecrets() throws {
        let body = try object(
            """
            apiVersion: v1
            kind: Secret
            metadata: {name: s, resourceVersion: "7", uid: u, managedFields: [], creationTimestamp: null}
            stringData: {password: hunter2}
            status: {phase: x}
            """)
        var declared = manifest(body)
        declared.id.namespace = "shop"
        let intent = Intent(manifest: declared, application: "shop", applySet: ApplySet(application: "shop"))
        #expect(intent.body[path: "metadata", "resourceVersion"] == nil && intent.body[path: "metadata", "uid"] == nil)
        #expect(intent.body["status"] == nil && intent.body["stringData"] == nil)
        #expect(intent.body[path: "data", "password"] == "aHVudGVyMg==")
        #expect(intent.body[path: "metadata", "labels", ApplySet.partOfLabel] == .string(ApplySet(application: "shop").id))
        #expect(intent.body[path: "metadata", "annotations", TrackingID.annotation] == "shop:/Secret:shop/s")
    }
}
