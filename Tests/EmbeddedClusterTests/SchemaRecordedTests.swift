import ResourceModel
import Testing

@testable import EmbeddedCluster

/// Decoding and field validation held against what a real API server was seen to answer.
@Suite struct SchemaRecordedTests {
    static let bodies: [RecordedStep] = FieldOwnershipRecordedTests.files.flatMap(Recordings.steps).filter { step in
        step.status < 300 && step.schema == nil && step.body["metadata"]?["resourceVersion"] != nil
            && Recordings.schema(for: step.body) != nil && step.body["kind"]?.stringValue?.hasSuffix("List") == false
    }

    /// What the server answers has been through its own types: reading it into ours must lose nothing.
    @Test(arguments: bodies) func decodingKeepsWhatTheServerAnswers(step: RecordedStep) throws {
        let schema = try #require(Recordings.schema(for: step.body))
        #expect(FieldValidation.problems(in: step.body, raw: nil, schema: schema) == [])
        let decoded = try BuiltInDecoding.decoded(step.body, schema: schema)
        for member in step.body.objectValue?.members ?? [] {
            #expect(decoded[member.key]?.jsonString.count == member.value.jsonString.count, "\(member.key)")
            #expect(decoded[member.key] == member.value, "\(member.key)")
        }
    }

    /// Bodies that the server refused, or warned of, for their fields.
    static let strict: [RecordedStep] = FieldOwnershipRecordedTests.files.flatMap(Recordings.steps).filter { step in
        step.method == "POST" && step.query("fieldValidation") != nil && step.query("fieldValidation") != "Nope"
    }

    @Test(arguments: strict) func reportsFieldsAsTheServerDoes(step: RecordedStep) throws {
        let text = step.request["body"]?.stringValue.map { Array($0.utf8) } ?? step.request["body"]?.serialized() ?? []
        let body = try JSONValue(parsing: text)
        let problems = FieldValidation.problems(in: body, raw: text, schema: try #require(Recordings.schema(for: body)))
        let warnings = (step.response["warnings"]?.arrayValue ?? []).compactMap(\.stringValue)
        switch step.query("fieldValidation") {
        case "Strict":
            let message = step.body["message"]?.stringValue ?? ""
            #expect(message.hasSuffix("strict decoding error: " + problems.joined(separator: ", ")))
        case "Warn": #expect(warnings == problems.map { "299 - \(JSONValue.string($0).jsonString)" })
        default: #expect(warnings == [])
        }
    }

    @Test func recordingsAreRead() {
        #expect(Self.bodies.count > 100)
        #expect(Self.strict.count >= 4)
    }
}
