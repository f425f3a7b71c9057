import ResourceModel
import Testing

@testable import EmbeddedCluster

/// Custom resources and their definitions: the recorded answers, then what the recordings do not show.
@Suite struct SchemaCustomResourceTests {
    static let recorded: [RecordedStep] = Recordings.steps("crd.jsonl").filter { step in
        step.schema != nil && step.isApply && (step.status < 300 || step.status == 422)
    }

    @Test(arguments: recorded) func defaultsAndValidatesAsTheServerDoes(step: RecordedStep) throws {
        let schema = try #require(step.schema)
        let patch = step.request["body"] ?? .null
        let applied = try FieldManager.apply(
            patch: patch, to: step.live, manager: step.manager, force: true, schema: schema, apiVersion: "rec.example.com/v1",
            subresource: "", now: "<time>")
        let result = StructuralSchema.defaulted(FieldValidation.pruned(applied, schema: schema), schema: schema)
        let causes = StructuralSchema.validated(result, old: step.live, schema: schema)
        if step.status == 422 {
            #expect(causes.map(\.json) == step.body["details"]?["causes"]?.arrayValue ?? [])
        } else {
            #expect(causes == [])
            #expect(result["spec"] == step.body["spec"])
        }
    }

    static let definitions: [RecordedStep] = Recordings.steps("crd.jsonl").filter { step in
        step.isApply && step.path.contains("customresourcedefinitions")
    }

    @Test(arguments: definitions) func checksDefinitionsAsTheServerDoes(step: RecordedStep) throws {
        let definition = DefinitionRules.preparedForCreate(DefinitionRules.defaulted(step.request["body"] ?? .null))
        let causes = DefinitionRules.validated(definition, old: nil)
        if step.status == 422 {
            #expect(causes.map(\.json) == step.body["details"]?["causes"]?.arrayValue ?? [])
        } else {
            #expect(causes == [])
            #expect(definition["spec"] == step.body["spec"])
            #expect(definition["status"] == step.body["status"])
        }
    }

    @Test func recordingsAreRead() {
        #expect(Self.recorded.count >= 10)
        #expect(Self.definitions.count == 3)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var schema: String
        var value: String
        /// Reason and field of each cause.
        var causes: [String]
        var testDescription: String { "\(schema) \(value)" }
    }

    static let cases: [Case] = [
        Case(schema: #"{"type":"integer"}"#, value: #""3""#, causes: ["FieldValueTypeInvalid v"]),
        Case(schema: #"{"type":"integer"}"#, value: "1.5", causes: ["FieldValueTypeInvalid v"]),
        Case(schema: #"{"type":"integer"}"#, value: "2.0", causes: []),
        Case(schema: #"{"type":"number"}"#, value: "2", causes: []),
        Case(schema: #"{"type":"string"}"#, value: "null", causes: ["FieldValueTypeInvalid v"]),
        Case(schema: #"{"type":"string","nullable":true}"#, value: "null", causes: []),
        Case(schema: #"{"x-kubernetes-int-or-string":true}"#, value: #""5%""#, causes: []),
        Case(schema: #"{"x-kubernetes-int-or-string":true}"#, value: "true", causes: ["FieldValueTypeInvalid v"]),
        Case(schema: #"{"type":"integer","minimum":1,"exclusiveMinimum":true}"#, value: "1", causes: ["FieldValueInvalid v"]),
        Case(schema: #"{"type":"integer","multipleOf":3}"#, value: "7", causes: ["FieldValueInvalid v"]),
        Case(schema: #"{"type":"string","minLength":2}"#, value: #""a""#, causes: ["FieldValueInvalid v"]),
        Case(schema: #"{"type":"string","maxLength":2}"#, value: #""äöü""#, causes: ["FieldValueTooLong v"]),
        Case(schema: #"{"type":"string","pattern":"^a+$"}"#, value: #""b""#, causes: ["FieldValueInvalid v"]),
        Case(schema: #"{"type":"string","pattern":"a"}"#, value: #""bab""#, causes: []),
        Case(schema: #"{"type":"string","format":"date-time"}"#, value: #""yesterday""#, causes: ["FieldValueTypeInvalid v"]),
        Case(schema: #"{"type":"string","format":"date-time"}"#, value: #""2024-01-02T03:04:05Z""#, causes: []),
        Case(schema: #"{"type":"string","format":"ipv4"}"#, value: #""1.2.3.256""#, causes: ["FieldValueTypeInvalid v"]),
        Case(schema: #"{"type":"string","format":"unheard-of"}"#, value: #""x""#, causes: []),
        Case(
            schema: #"{"type":"array","items":{"type":"integer"},"maxItems":1}"#, value: "[1,2]", causes: ["FieldValueTooMany v"]),
        Case(schema: #"{"type":"array","items":{"type":"integer"},"minItems":1}"#, value: "[]", causes: ["FieldValueInvalid v"]),
        Case(schema: #"{"type":"array","items":{"type":"integer"}}"#, value: #"[1,"x"]"#, causes: ["FieldValueTypeInvalid v[1]"]),
        Case(
            schema: #"{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}}"#, value: #"["a","b","a"]"#,
            causes: ["FieldValueDuplicate v[2]"]),
        Case(
            schema:
                #"{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["id"],"items":{"type":"object","properties":{"id":{"type":"string"}}}}"#,
            value: #"[{"id":"a"},{"id":"a"}]"#, causes: ["FieldValueDuplicate v[1]"]),
        Case(
            schema: #"{"type":"object","required":["a"],"properties":{"a":{"type":"string"}}}"#, value: "{}",
            causes: ["FieldValueRequired v.a"]),
        Case(
            schema: #"{"type":"object","additionalProperties":{"type":"integer"}}"#, value: #"{"x":"y"}"#,
            causes: ["FieldValueTypeInvalid v.x"]),
        Case(
            schema: #"{"type":"object","maxProperties":1,"additionalProperties":{"type":"integer"}}"#, value: #"{"x":1,"y":2}"#,
            causes: ["FieldValueTooMany v"]),
        Case(
            schema: #"{"type":"integer","oneOf":[{"minimum":5},{"maximum":5}]}"#, value: "5", causes: ["FieldValueInvalid <nil>"]),
        Case(schema: #"{"type":"integer","oneOf":[{"minimum":5},{"maximum":5}]}"#, value: "4", causes: []),
        Case(
            schema: #"{"type":"integer","anyOf":[{"minimum":5},{"maximum":3}]}"#, value: "4", causes: ["FieldValueInvalid <nil>"]),
        Case(schema: #"{"type":"integer","not":{"minimum":5}}"#, value: "6", causes: ["FieldValueInvalid <nil>"]),
        Case(
            schema: #"{"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true}"#,
            value: #"{"kind":"A"}"#, causes: ["FieldValueRequired v.apiVersion"]),
        Case(schema: #"{"type":"string","enum":["a","b"]}"#, value: #""c""#, causes: ["FieldValueNotSupported v"]),
    ]

    @Test(arguments: cases) func validates(_ test: Case) throws {
        let node = try JSONValue(parsing: test.schema)
        let schema = TypeSchema(structural: ["type": "object", "properties": ["v": node]])
        let causes = StructuralSchema.validated(["v": try JSONValue(parsing: test.value)], old: nil, schema: schema)
        #expect(causes.map { "\($0.reason) \($0.field)" } == test.causes)
    }

    @Test func prunesWhatIsNotDeclared() throws {
        let schema = TypeSchema(
            structural: try JSONValue(
                parsing: #"{"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"string"}}},"#
                    + #""free":{"type":"object","x-kubernetes-preserve-unknown-fields":true},"none":{"type":"object"}}}"#))
        let object = try JSONValue(
            parsing:
                #"{"apiVersion":"g/v1","kind":"K","metadata":{"name":"n","bogus":1},"a":{"b":"x","c":1},"free":{"x":{"y":1}},"none":{"z":1},"q":1}"#
        )
        #expect(
            FieldValidation.pruned(object, schema: schema)
                == (try JSONValue(
                    parsing:
                        #"{"apiVersion":"g/v1","kind":"K","metadata":{"name":"n"},"a":{"b":"x"},"free":{"x":{"y":1}},"none":{}}"#))
        )
        #expect(
            FieldValidation.problems(in: object, raw: nil, schema: schema)
                == ["metadata.bogus", "a.c", "none.z", "q"].map { "unknown field \"\($0)\"" })
    }

    @Test func fillsDefaultsInsideDefaultsAndListsAndForForbiddenNulls() throws {
        let schema = TypeSchema(
            structural: try JSONValue(
                parsing:
                    #"{"type":"object","properties":{"a":{"type":"object","default":{},"properties":{"b":{"type":"string","default":"x"}}},"#
                    + #""n":{"type":"integer","default":3},"k":{"type":"integer","nullable":true,"default":3},"#
                    + #""l":{"type":"array","items":{"type":"object","properties":{"c":{"type":"integer","default":1}}}}}}"#))
        let result = StructuralSchema.defaulted(try JSONValue(parsing: #"{"n":null,"k":null,"l":[{},{"c":2}]}"#), schema: schema)
        #expect(result == (try JSONValue(parsing: #"{"a":{"b":"x"},"n":3,"k":null,"l":[{"c":1},{"c":2}]}"#)))
    }

    static let broken: [(String, String)] = [
        (#"{"type":"string"}"#, "FieldValueInvalid spec.versions[0].schema.openAPIV3Schema.type"),
        (
            #"{"type":"object","properties":{"a":{}}}"#,
            "FieldValueRequired spec.versions[0].schema.openAPIV3Schema.properties[a].type"
        ),
        (
            #"{"type":"object","properties":{"a":{"type":"array"}}}"#,
            "FieldValueRequired spec.versions[0].schema.openAPIV3Schema.properties[a].items"
        ),
        (
            #"{"type":"object","properties":{"a":{"type":"thing"}}}"#,
            "FieldValueNotSupported spec.versions[0].schema.openAPIV3Schema.properties[a].type"
        ),
        (
            #"{"type":"object","properties":{"a":{"type":"string","default":1}}}"#,
            "FieldValueTypeInvalid spec.versions[0].schema.openAPIV3Schema.properties[a].default"
        ),
        (
            #"{"type":"object","properties":{"a":{"type":"string","pattern":"("}}}"#,
            "FieldValueInvalid spec.versions[0].schema.openAPIV3Schema.properties[a].pattern"
        ),
        (
            #"{"type":"object","x-kubernetes-validations":[{"rule":"self.a <"}]}"#,
            "FieldValueInvalid spec.versions[0].schema.openAPIV3Schema.x-kubernetes-validations[0].rule"
        ),
        (
            #"{"type":"object","x-kubernetes-validations":[{"rule":"url(self.a) == 1"}]}"#,
            "FieldValueInvalid spec.versions[0].schema.openAPIV3Schema.x-kubernetes-validations[0].rule"
        ),
        (
            #"{"type":"object","properties":{"a":{"type":"integer"}},"x-kubernetes-validations":[{"rule":"self.aa < 9"}]}"#,
            "FieldValueInvalid spec.versions[0].schema.openAPIV3Schema.x-kubernetes-validations[0].rule"
        ),
    ]

    @Test(arguments: broken) func refusesBrokenSchemas(schema: String, cause: String) throws {
        let definition: JSONValue = [
            "metadata": ["name": "as.example.com"],
            "spec": [
                "group": "example.com", "scope": "Cluster", "names": ["plural": "as", "kind": "A"],
                "versions": [
                    [
                        "name": "v1", "served": true, "storage": true,
                        "schema": ["openAPIV3Schema": try JSONValue(parsing: schema)],
                    ]
                ],
            ],
        ]
        let causes = DefinitionRules.validated(DefinitionRules.defaulted(definition), old: nil)
        #expect(causes.map { "\($0.reason) \($0.field)" } == [cause])
    }
}
