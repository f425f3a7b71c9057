import ResourceModel
import Testing

@testable import Applier

/// The two documents of a unified diff.
@Suite struct ComparedDocumentsTests {
    private func owned(_ body: JSONValue, _ fields: JSONValue) -> LiveObject {
        let manifest = manifest(body)
        return LiveObject(
            id: manifest.id, apiVersion: manifest.apiVersion, body: body, uid: "u", resourceVersion: "1",
            ownership: FieldOwnership(entries: [
                .init(manager: "reconciler", operation: "Apply", apiVersion: manifest.apiVersion, time: nil, subresource: "", fields: fields)
            ]))
    }

    private let live: JSONValue = [
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": ["name": "web", "namespace": "shop", "uid": "u", "generation": 4, "labels": ["theirs": "x", "ours": "y"]],
        "spec": [
            "replicas": 5, "progressDeadlineSeconds": 600,
            "template": ["spec": ["containers": [["name": "injected", "image": "p"], ["name": "web", "image": "a:1", "imagePullPolicy": "Always"]]]],
        ], "status": ["replicas": 5],
    ]
    private let fields: JSONValue = [
        "f:metadata": ["f:labels": ["f:ours": [:]]],
        "f:spec": ["f:template": ["f:spec": ["f:containers": ["k:{\"name\":\"web\"}": [".": [:], "f:name": [:], "f:image": [:]]]]]],
    ]

    @Test func holdOnlyWhatIsDeclaredOrOurs() {
        let declared: JSONValue = [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "web", "namespace": "shop"],
            "spec": ["replicas": 2, "template": ["spec": ["containers": [["name": "web", "image": "a:2"]]]]],
        ]
        let change = Change(
            id: id("Deployment", "web", group: "apps"), action: .configure,
            fields: [
                FieldChange(path: ".spec.replicas", before: 5, after: 2), FieldChange(path: ".metadata.labels.ours", before: "y", after: nil),
                FieldChange(path: ".spec.template.spec.containers[name=\"web\"].image", before: "a:1", after: "a:2"),
            ], manifest: manifest(declared), live: owned(live, fields))
        let documents = change.documents
        #expect(
            documents.before == [
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "web", "namespace": "shop", "labels": ["ours": "y"]],
                "spec": ["replicas": 5, "template": ["spec": ["containers": [["name": "web", "image": "a:1"]]]]],
            ])
        #expect(
            documents.after == [
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "web", "namespace": "shop"],
                "spec": ["replicas": 2, "template": ["spec": ["containers": [["name": "web", "image": "a:2"]]]]],
            ])
    }

    @Test func differInTheFieldsAndNothingElse() {
        // The comparison found nothing else: another spelling of a declared value stays as it is live.
        let declared: JSONValue = ["apiVersion": "v1", "kind": "ResourceQuota", "metadata": ["name": "q", "namespace": "shop"], "spec": ["hard": ["cpu": "1000m", "pods": "3"]]]
        let there: JSONValue = ["apiVersion": "v1", "kind": "ResourceQuota", "metadata": ["name": "q", "namespace": "shop"], "spec": ["hard": ["cpu": "1", "pods": "2"]]]
        let change = Change(
            id: id("ResourceQuota", "q"), action: .configure, fields: [FieldChange(path: ".spec.hard.pods", before: "2", after: "3")],
            manifest: manifest(declared), live: owned(there, ["f:spec": ["f:hard": ["f:cpu": [:], "f:pods": [:]]]]))
        #expect(change.documents.before?[path: "spec", "hard"] == ["cpu": "1", "pods": "2"])
        #expect(change.documents.after?[path: "spec", "hard"] == ["cpu": "1", "pods": "3"])
    }

    @Test func anAddedItemIsPutAtTheEndOfItsList() {
        let change = Change.documents(
            ["metadata": ["name": "x"], "spec": ["list": [["name": "theirs"]], "args": ["a", "b"]]],
            [FieldChange(path: ".spec.list[0]", before: nil, after: ["name": "ours"]), FieldChange(path: ".spec.args", before: ["a", "b"], after: ["a"])])
        #expect(change.before?[path: "spec", "list"] == [["name": "theirs"]])
        #expect(change.after?[path: "spec", "list"] == [["name": "theirs"], ["name": "ours"]] && change.after?[path: "spec", "args"] == ["a"])
    }

    @Test func aPruneShowsWhatWasOursAndACreateWhatIsDeclared() {
        let prune = Change(id: id("Deployment", "web", group: "apps"), action: .prune, live: owned(live, fields)).documents
        #expect(prune.after == nil && prune.before?[path: "spec", "replicas"] == nil && prune.before?[path: "metadata", "labels"] == ["ours": "y"])
        var declared = manifest("ConfigMap", "a", annotations: [TrackingID.annotation: "shop:/ConfigMap:shop/a"])
        declared.body[path: "metadata", "labels", ApplySet.partOfLabel] = "applyset"
        let create = Change(id: declared.id, action: .create, manifest: declared).documents
        #expect(create.before == nil && create.after?["metadata"] == ["name": "a", "namespace": "shop"])
    }
}
