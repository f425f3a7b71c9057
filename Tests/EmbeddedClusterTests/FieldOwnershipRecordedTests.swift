import ResourceModel
import Testing

@testable import EmbeddedCluster

/// Field ownership held against what a real API server was seen to answer, step by step.
@Suite struct FieldOwnershipRecordedTests {
    static let files = ["apply.jsonl", "write.jsonl", "crd.jsonl", "kinds.jsonl", "delete.jsonl", "list.jsonl", "watch.jsonl"]

    /// Applies that were answered by the code under test: stored, refused for conflicts, or for a body of the wrong type.
    static let applies: [RecordedStep] = files.flatMap(Recordings.steps).filter { step in
        guard step.isApply, step.request["body"]?.objectValue != nil, step.query("fieldManager") != nil else { return false }
        if step.status < 300 { return step.subresource.isEmpty }
        let cause = step.body["details"]?["causes"]?[0]?["reason"]
        return cause == "FieldManagerConflict" || step.status == 500
            || step.body["message"] == "metadata.managedFields must be nil"
    }

    @Test(arguments: applies) func appliesAsTheServerDoes(step: RecordedStep) throws {
        let patch = step.request["body"] ?? .null
        let schema = try #require(step.schema ?? Recordings.schema(for: patch))
        do throws(ApplyFailure) {
            let result = try FieldManager.apply(
                patch: patch, to: step.live, manager: step.manager, force: step.query("force") == "true", schema: schema,
                apiVersion: patch["apiVersion"]?.stringValue ?? "", subresource: step.subresource, now: "<time>")
            #expect(step.status < 300)
            #expect(Recordings.owners(result) == Recordings.owners(step.body))
            if patch["kind"] == "ConfigMap", step.request["body"]?["data"]?["k"]?.isNull != true {
                #expect((result["data"] ?? .null) == (step.body["data"] ?? .null))
                #expect(result["metadata"]?["finalizers"] == step.body["metadata"]?["finalizers"])
            }
        } catch {
            #expect(Int64(error.code) == step.status)
            #expect(error.message == step.body["message"]?.stringValue)
            #expect(error.reason == step.body["reason"]?.stringValue ?? "")
            let causes = step.body["details"]?["causes"]?.arrayValue ?? []
            #expect(error.causes.map(\.json) == causes)
        }
    }

    /// Writes by other verbs that were stored.
    static let updates: [RecordedStep] = files.flatMap(Recordings.steps).filter { step in
        guard ["POST", "PUT", "PATCH"].contains(step.method), !step.isApply, step.status < 300 else { return false }
        return step.body["metadata"]?["resourceVersion"] != nil && step.subresource != "scale" && step.query("dryRun") == nil
            && (step.method == "POST" || step.live != nil)
    }

    @Test(arguments: updates) func tracksOtherWritesAsTheServerDoes(step: RecordedStep) throws {
        let schema = try #require(step.schema ?? Recordings.schema(for: step.body))
        var new = step.body
        new["metadata"]?["managedFields"] = step.live?["metadata"]?["managedFields"]
        if step.request["body"]?[0]?["path"] == "/metadata/managedFields" { new["metadata"]?["managedFields"] = [[:]] }
        if step.live == nil { new = Self.beforeTheServer(new, requested: step.request["body"] ?? .null) }
        let result = FieldManager.update(
            from: step.live, to: new, manager: step.manager, schema: schema,
            apiVersion: step.body["apiVersion"]?.stringValue ?? "", subresource: step.subresource, now: "<time>")
        #expect(Recordings.owners(result) == Recordings.owners(step.body))
    }

    /// Takes out what the server has set after it worked out the owners.
    private static func beforeTheServer(_ object: JSONValue, requested: JSONValue) -> JSONValue {
        var object = object
        if requested["metadata"]?["generateName"] == nil { object["metadata"]?["generateName"] = nil }
        if object["kind"] == "Service" {
            for name in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] where requested["spec"]?[name] == nil {
                object["spec"]?[name] = nil
            }
        }
        if object["kind"] == "Pod" {
            for name in ["preemptionPolicy", "priority", "tolerations"] { object["spec"]?[name] = nil }
        }
        if object["kind"] == "Job", requested["metadata"]?["labels"] == nil {
            object["metadata"]?["labels"] = nil
            object["spec"]?["selector"] = nil
            object["spec"]?["template"]?["metadata"] = nil
        }
        return object
    }

    @Test func recordingsAreRead() {
        #expect(Self.applies.count > 50)
        #expect(Self.updates.count > 15)
    }
}
