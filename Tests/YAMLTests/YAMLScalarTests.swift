import Foundation
import ResourceModel
import Testing

@testable import YAML

/// What kubectl made of a text, recorded.
struct RecordedCase: Sendable, CustomTestStringConvertible {
    var yaml: String
    /// The value of `v` in each document; nil where kubectl answered with an error.
    var values: [JSONValue]?
    var error: String?

    var testDescription: String { yaml }

    static let all: [RecordedCase] = {
        guard let file = Bundle.module.url(forResource: "yaml-scalars", withExtension: "json", subdirectory: "Cases"),
            let data = try? Data(contentsOf: file), let cases = try? JSONValue(parsing: Array(data)).arrayValue
        else { return [] }  // an empty table fails `theTableIsComplete`
        return cases.map { entry in
            RecordedCase(
                yaml: text(of: entry["yaml"]?.stringValue ?? ""), values: entry["json"]?.arrayValue,
                error: entry["error"]?.stringValue)
        }
    }()

    private static let head = "apiVersion: rec.example.com/v1\nkind: X\nmetadata: {name: a}\n"

    private static func text(of recorded: String) -> String {
        recorded.contains("<head>") || recorded.contains("apiVersion")
            ? recorded.replacingOccurrences(of: "<head>", with: head) : head + recorded
    }
}

@Suite struct YAMLScalarTests {
    @Test func theTableIsComplete() { #expect(RecordedCase.all.count == 121) }

    @Test(arguments: RecordedCase.all)
    func everyRecordedTextReadsAsKubectlReadsIt(recorded: RecordedCase) throws {
        if recorded.yaml.contains("{a: 1, a: 2}") {  // our one stricter rule
            let error = #expect(throws: YAMLError.self) { try YAML.documents(in: recorded.yaml, path: "x.yaml") }
            #expect(error?.code == .duplicateKey)
        } else if let values = recorded.values {
            let documents = try YAML.documents(in: recorded.yaml, path: "x.yaml")
            #expect(documents.map { $0.value["v"] } == values)
        } else {
            #expect(recorded.error != nil)
            #expect(throws: YAMLError.self) { try YAML.documents(in: recorded.yaml, path: "x.yaml") }
        }
    }
}
