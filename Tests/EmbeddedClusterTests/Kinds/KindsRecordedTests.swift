import ResourceModel
import Testing

@testable import EmbeddedCluster

/// The kinds' rules held against what a real API server was seen to answer, without any server.
@Suite struct KindsRecordedTests {
    static let files = ["kinds.jsonl", "write.jsonl", "apply.jsonl", "list.jsonl", "scale.jsonl", "delete.jsonl", "namespace.jsonl", "watch.jsonl"]
    static let all = files.flatMap(Recordings.steps).map { step in
        var step = step
        step.response = withIdentity(step.response)
        step.live = step.live.map(withIdentity)
        return step
    }.filter { (step: RecordedStep) in
        let kind = step.body["kind"]?.stringValue ?? ""
        return !step.path.contains("rec.example.com") && kind != "CustomResourceDefinition" && kind != "Scale"
    }

    /// Stands in for what the recordings show as `<uid>`.
    static let uid = "36bba2c3-f97d-4699-9fb1-267f9ae808ce"

    static func withIdentity(_ value: JSONValue) -> JSONValue {
        do { return try JSONValue(parsing: value.jsonString.replacing("<uid>", with: uid)) } catch { return value }
    }

    static func kind(_ object: JSONValue) -> GroupVersionKind {
        GroupVersionKind(apiVersion: object["apiVersion"]?.stringValue ?? "", kind: object["kind"]?.stringValue ?? "")
    }

    /// The object as the request and its path say it, before the server has looked at it.
    static func requested(_ step: RecordedStep) -> JSONValue? {
        guard var body = step.request["body"], body.objectValue != nil, body["kind"] != nil else { return nil }
        if body["metadata"] == nil { body["metadata"] = [:] }
        if step.path.contains("/namespaces/"), !step.path.hasSuffix("/namespaces"), kind(body).kind != "Namespace" {
            body[path: "metadata", "namespace"] = "${ns}"
        }
        body[path: "metadata", "uid"] = .string(uid)
        body[path: "metadata", "creationTimestamp"] = "<time>"
        return body
    }

    /// What other parts of the server add, and what differs from run to run.
    static func comparable(_ object: JSONValue) -> JSONValue {
        var object = object
        for name in ["managedFields", "resourceVersion", "uid", "creationTimestamp", "namespace", "generateName"] {
            object["metadata"]?[name] = nil
        }
        if object["kind"] == "Service" {
            for name in ["clusterIP", "clusterIPs"] where object["spec"]?[name] != nil { object["spec"]?[name] = nil }
        }
        if let name = object["metadata"]?["name"]?.stringValue, name.hasPrefix("gen-") { object["metadata"]?["name"] = nil }
        return object
    }

    static let creations = all.filter { step in
        guard step.status == 201, let body = step.request["body"], body["kind"] != nil else { return false }
        return step.method == "POST" || (step.isApply && step.live == nil)
    }

    @Test(arguments: creations) func createsAsTheServerDoes(step: RecordedStep) throws {
        let request = try #require(Self.requested(step))
        let rules = KindRules.rules(for: Self.kind(request))
        var body = request
        body["bogus"] = nil
        let object = rules.prepareForCreate(rules.defaulted(body))
        #expect(rules.validateCreate(object).filter { $0.field != "metadata.name" || step.body["metadata"]?["generateName"] == nil } == [])
        Self.expectSame(Self.comparable(object), Self.comparable(step.body))
        #expect(rules.defaulted(object) == object, "defaulting is idempotent")
    }

    static func expectSame(_ left: JSONValue, _ right: JSONValue) {
        for difference in differences(left, right, "") { Issue.record("\(difference)") }
    }

    private static func differences(_ left: JSONValue, _ right: JSONValue, _ path: String) -> [String] {
        if case .object(let a) = left, case .object(let b) = right {
            return Set(a.keys + b.keys).sorted().flatMap { key in
                switch (a[key], b[key]) {
                case (let one?, let two?): return differences(one, two, "\(path).\(key)")
                case (let one?, nil): return ["\(path).\(key): \(one.jsonString), the server has none"]
                case (nil, let two?): return ["\(path).\(key): missing, the server has \(two.jsonString)"]
                case (nil, nil): return []
                }
            }
        }
        if case .array(let a) = left, case .array(let b) = right, a.count == b.count {
            return zip(a, b).enumerated().flatMap { differences($1.0, $1.1, "\(path)[\($0)]") }
        }
        return left == right ? [] : ["\(path): \(left.jsonString), the server has \(right.jsonString)"]
    }

    /// Updates that were stored: what the recorded answer holds must be what defaulting and preparing makes of it.
    static let updates = all.filter { step in
        ["PUT", "PATCH"].contains(step.method) && step.status == 200 && step.live != nil && step.body["kind"] != "Status"
            && step.subresource.isEmpty && step.query("dryRun") == nil
            // A write to another resource (scale) came between and is not in `live`.
            && step.scenario != "apply/give-up-replicas"
    }

    @Test(arguments: updates) func updatesAsTheServerDoes(step: RecordedStep) throws {
        let live = try #require(step.live)
        let rules = KindRules.rules(for: Self.kind(step.body))
        var sent = step.body
        sent["status"] = nil
        sent["metadata"]?["generation"] = live["metadata"]?["generation"]
        let object = rules.prepareForUpdate(rules.defaulted(sent), live)
        Self.expectSame(Self.comparable(object), Self.comparable(step.body))
        #expect(rules.validateUpdate(object, live) == [])
    }

    /// Objects that were refused for what they hold.
    static let refusals = all.filter { step in
        step.status == 422 && step.body["details"]?["kind"] == step.request["body"]?["kind"] && step.request["body"]?["kind"] != nil
            && step.body["details"]?["causes"]?[0]?["field"] != "metadata.uid" && step.method != "DELETE"
    }

    @Test(arguments: refusals) func refusesAsTheServerDoes(step: RecordedStep) throws {
        let request = try #require(Self.requested(step))
        let kind = Self.kind(request)
        let rules = KindRules.rules(for: kind)
        let causes: [FieldCause]
        if let live = step.live {
            var new = rules.defaulted(request)
            for name in ["generation", "resourceVersion", "creationTimestamp"] { new["metadata"]?[name] = live["metadata"]?[name] }
            causes = rules.validateUpdate(rules.prepareForUpdate(new, live), live)
        } else {
            causes = rules.validateCreate(rules.prepareForCreate(rules.defaulted(request)))
        }
        #expect(causes.map(\.json) == step.body["details"]?["causes"]?.arrayValue ?? [])
        let name = request["metadata"]?["name"]?.stringValue ?? ""
        let message = KindRules.invalidMessage(kind: kind.kind, group: kind.group, name: name, causes: causes)
        #expect(message == step.body["message"]?.stringValue)
    }

    /// Tables, with the objects that the same scenario has created.
    static let tables = all.filter { $0.body["kind"] == "Table" }

    @Test(arguments: tables) func printsTablesAsTheServerDoes(step: RecordedStep) throws {
        let siblings = Self.all.filter { $0.file == step.file && $0.scenario == step.scenario }
        let objects = siblings.map(\.body).filter { ($0["metadata"]?["uid"]) != nil && $0["kind"] != "Status" }
        let rules = KindRules.rules(for: Self.kind(try #require(objects.first)))
        let wanted = step.body["columnDefinitions"]?.arrayValue ?? []
        if !wanted.isEmpty {
            #expect(rules.tableColumns.map(\.name) == wanted.compactMap { $0["name"]?.stringValue })
            for (column, recorded) in zip(rules.tableColumns, wanted) {
                #expect(column.type == recorded["type"]?.stringValue, "\(column.name)")
                #expect(column.priority == recorded["priority"]?.integerValue, "\(column.name)")
                #expect(column.format == recorded["format"]?.stringValue, "\(column.name)")
                #expect(column.description == recorded["description"]?.stringValue, "\(column.name)")
            }
        }
        for row in step.body["rows"]?.arrayValue ?? [] {
            let name = row["object"]?["metadata"]?["name"]
            guard let object = objects.first(where: { $0["metadata"]?["name"] == name }) else { continue }
            let cells = rules.tableRow(object, now: 0)
            let recorded = row["cells"]?.arrayValue ?? []
            #expect(cells.count == recorded.count)
            for (index, (cell, cellRecorded)) in zip(cells, recorded).enumerated() where !Self.isAge(cellRecorded) {
                if let text = cellRecorded.stringValue, text.hasPrefix("10.0.") && cell == "<ip>" { continue }
                if cell == "<time>" { continue }
                #expect(cell == cellRecorded, "column \(index)")
            }
        }
    }

    private static func isAge(_ cell: JSONValue) -> Bool {
        guard let text = cell.stringValue else { return false }
        return text == "<age>" || text == "3m43s"
    }

    @Test func coversTheRecording() {
        #expect(Self.creations.count > 50)
        #expect(Self.refusals.count >= 14)
        #expect(Self.tables.count >= 24)
    }
}
