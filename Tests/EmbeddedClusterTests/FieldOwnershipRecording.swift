import Foundation
import ResourceModel
import Testing

@testable import EmbeddedCluster

/// A step of a recording of a real API server.
struct RecordedStep: Sendable, CustomTestStringConvertible {
    var file: String
    var index: Int
    var scenario: String
    var request: JSONValue
    var response: JSONValue
    /// The last body of the same object in the same scenario, before this step.
    var live: JSONValue?
    /// The schema of a custom resource, when the scenario's definition declares it.
    var schema: TypeSchema?

    var testDescription: String { "\(file):\(index + 1) \(scenario)" }
    var method: String { request["method"]?.stringValue ?? "" }
    var path: String { String(request["path"]?.stringValue?.split(separator: "?").first ?? "") }
    var contentType: String { request["contentType"]?.stringValue ?? "" }
    var status: Int64 { response["status"]?.integerValue ?? 0 }
    var body: JSONValue { response["body"] ?? .null }
    var isApply: Bool { method == "PATCH" && contentType.contains("apply-patch") }

    func query(_ name: String) -> String? {
        let query = request["path"]?.stringValue?.split(separator: "?").dropFirst().first ?? ""
        for pair in query.split(separator: "&") where pair.hasPrefix(name + "=") { return String(pair.dropFirst(name.count + 1)) }
        return nil
    }

    var manager: String { query("fieldManager") ?? "Python-urllib" }
    var subresource: String {
        for name in ["status", "scale"] where path.hasSuffix("/" + name) { return name }
        return ""
    }
}

enum Recordings {
    static let directory: String = {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return tests.appending(path: "APIConformance/Recorded").path()
    }()

    /// The steps of one file, each with the state that the steps before it have left.
    static func steps(_ file: String) -> [RecordedStep] {
        guard let data = FileManager.default.contents(atPath: directory + "/" + file) else { return [] }
        var steps: [RecordedStep] = []
        var live: [String: JSONValue] = [:]
        var scenario = ""
        var customSchema: TypeSchema?
        for (index, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
            // The identity of a captured object differs from run to run; the recording holds the one it saw.
            let text = String(decoding: line, as: UTF8.self)
                .replacingOccurrences(of: "${uid}", with: "36bba2c3-f97d-4699-9fb1-267f9ae808ce")
            guard let json = try? JSONValue(parsing: text) else { continue }  // counted by the tests
            var step = RecordedStep(
                file: file, index: index, scenario: json["scenario"]?.stringValue ?? "", request: json["request"] ?? .null,
                response: json["response"] ?? .null)
            if step.scenario != scenario {
                live = [:]
                scenario = step.scenario
            }
            var key = step.path
            if !step.subresource.isEmpty { key = key.split(separator: "/").dropLast().map { "/" + $0 }.joined() }
            if step.method == "POST" { key += "/" + (step.body["metadata"]?["name"]?.stringValue ?? "") }
            step.live = live[key]
            if step.body["kind"] == "CustomResourceDefinition", let version = step.body["spec"]?["versions"]?[0] {
                customSchema = version["schema"]?["openAPIV3Schema"].map {
                    TypeSchema(structural: $0, hasStatus: version["subresources"]?["status"] != nil)
                }
            }
            if step.path.contains("rec.example.com/v1/") { step.schema = customSchema }
            steps.append(step)
            if step.query("dryRun") == nil, step.status < 300, step.body["metadata"]?["resourceVersion"] != nil,
                step.body["kind"] != "Scale"
            {
                live[key] = step.body
            } else if step.body["kind"] == "Scale", step.method == "PATCH", let before = live[key] {
                var after = before
                after["spec"]?["replicas"] = step.body["spec"]?["replicas"]
                live[key] = FieldManager.update(
                    from: before, to: after, manager: step.manager, schema: step.schema ?? schema(for: before) ?? .deduced,
                    apiVersion: before["apiVersion"]?.stringValue ?? "", subresource: "scale", now: "<time>")
            }
        }
        return steps
    }

    static func schema(for object: JSONValue) -> TypeSchema? {
        SchemaCatalog.builtIn.schema(
            for: GroupVersionKind(
                apiVersion: object["apiVersion"]?.stringValue ?? "", kind: object["kind"]?.stringValue ?? ""))
    }

    /// managedFields without what differs from run to run.
    static func owners(_ object: JSONValue) -> Set<String> {
        Set(
            (object["metadata"]?["managedFields"]?.arrayValue ?? []).map { entry in
                var entry = entry
                if entry["time"] != nil { entry["time"] = "<time>" }
                return String(decoding: entry.canonicalBytes, as: UTF8.self)
            })
    }
}
