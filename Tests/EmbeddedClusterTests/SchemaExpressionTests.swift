import ResourceModel
import Testing

@testable import EmbeddedCluster

/// Validation rules: the Common Expression Language's operators, macros and functions on JSON.
@Suite struct SchemaExpressionTests {
    static let object: JSONValue = [
        "n": 3, "s": "hello", "list": [1, 2, 3], "names": ["a", "b"], "map": ["x": 1, "y": 2], "flag": true, "none": nil,
        "items": [["id": "a", "v": 1], ["id": "b", "v": 2]], "in-x": "dash", "namespace": "ns",
    ]

    static let holds: [String] = [
        "self.n == 3", "self.n < 4 && self.n >= 3", "self.n != 4 || false", "!(self.n > 3)", "-self.n == -3", "self.n + 1 == 4",
        "self.n * 2 - 1 == 5", "7 / 2 == 3", "7 % 4 == 3", "1 + 2 * 3 == 7", "(1 + 2) * 3 == 9", "1.5 + 1.5 == 3.0", "3 == 3.0",
        "self.s == 'hello'", "self.s.startsWith('he')", "self.s.endsWith(\"lo\")", "self.s.contains('ell')",
        "self.s.matches('^h.*o$')", "size(self.s) == 5", "self.s.size() == 5", "self.s + '!' == 'hello!'", "'a' < 'b'",
        "has(self.n)", "!has(self.missing)", "has(self.map.x)", "2 in self.list", "!(5 in self.list)", "'x' in self.map",
        "self.list[0] == 1", "self.map['y'] == 2", "self.list.all(x, x > 0)", "self.list.exists(x, x == 2)",
        "self.list.exists_one(x, x == 2)", "self.list.map(x, x * 2) == [2, 4, 6]", "self.list.filter(x, x > 1) == [2, 3]",
        "self.list.map(x, x > 1, x * 2) == [4, 6]", "self.items.all(i, i.v > 0 && i.id in self.names)",
        "self.map.all(k, self.map[k] > 0)", "self.flag ? self.n == 3 : false", "self.none == null", "{'a': 1}['a'] == 1",
        "self.items.filter(i, i.id == 'a')[0].v == 1", "int('12') == 12", "string(12) == '12'", "double(1) == 1.0",
        "self.in__dash__x == 'dash'", "self.__namespace__ == 'ns'", "r'\\d' == '\\\\d'", "'\\u0041' == 'A'",
        "'''a'b''' == \"a'b\"",
        "true || self.missing == 1", "self.missing == 1 || true", "!(false && self.missing == 1)",
        "!(self.missing == 1 && false)",
        "'a,b'.split(',') == ['a', 'b']", "['a','b'].join('-') == 'a-b'", "'ABC'.lowerAscii() == 'abc'", "[1,2].sum() == 3",
        "'hello'.substring(1, 3) == 'el'", "'hello'.indexOf('l') == 2", "'hello'.lastIndexOf('l') == 3", "' a '.trim() == 'a'",
        "'aXbX'.replace('X', '-') == 'a-b-'", "[1, 2, 2].isSorted()", "[3, 1].max() == 3", "0x10 == 16", "2u == uint(2)",
        "self.list.size() == 3 // a comment", "[[1], [2]].exists(l, l.exists(x, x == 2))", "1 == 1 ? true : 1 / 0 == 0",
    ]

    @Test(arguments: holds) func evaluates(rule: String) throws {
        var evaluator = ExpressionEvaluator(variables: ["self": ExpressionValue(Self.object, schema: nil)])
        #expect(ValidationRule.problem(in: rule) == nil)
        #expect(try evaluator.value(of: ExpressionParser.parse(rule)) == .bool(true))
    }

    @Test(arguments: [
        "self.missing == 1", "self.list[9] == 1", "1 / 0 == 1", "self.n + 'x' == 'y'", "9223372036854775807 + 1 > 0",
        "self.s > 1", "self.n.size() == 1", "self.list.all(x, x / 0 == 1)", "int('x') == 1",
    ])
    func failsWithoutAValue(rule: String) throws {
        var evaluator = ExpressionEvaluator(variables: ["self": ExpressionValue(Self.object, schema: nil)])
        let expression = try ExpressionParser.parse(rule)
        #expect(throws: ExpressionError.self) { try evaluator.value(of: expression) }
    }

    @Test(arguments: [
        "", "self.", "self.a ==", "(1", "other.x == 1", "self.a.frobnicate()", "quantity(self.a) == 1", "duration('1s') > 1",
        "has(self)", "self.list.all(x)", "'unterminated", "1 = 1", "self.a ?? 1", "x.all(y, true)", "startsWith('a')",
    ])
    func refusesRulesThatItCannotEvaluate(rule: String) { #expect(ValidationRule.problem(in: rule) != nil) }

    static func schema(_ rule: String, more: JSONValue = [:]) -> TypeSchema {
        var entry = more
        entry["rule"] = .string(rule)
        return TypeSchema(
            structural: [
                "type": "object",
                "properties": [
                    "spec": [
                        "type": "object", "properties": ["size": ["type": "integer"], "ratio": ["type": "number"]],
                        "x-kubernetes-validations": [entry],
                    ]
                ],
            ])
    }

    @Test func reportsTheRuleWhenThereIsNoMessage() {
        let causes = StructuralSchema.validated(["spec": ["size": 9]], old: nil, schema: Self.schema("self.size < 9"))
        #expect(
            causes == [
                FieldCause(reason: "FieldValueInvalid", message: "Invalid value: failed rule: self.size < 9", field: "spec")
            ])
    }

    @Test func transitionRulesNeedAnOldObject() {
        let schema = Self.schema(
            "self.size >= oldSelf.size", more: ["message": "must not shrink", "reason": "FieldValueForbidden"])
        #expect(StructuralSchema.validated(["spec": ["size": 1]], old: nil, schema: schema) == [])
        #expect(StructuralSchema.validated(["spec": ["size": 3]], old: ["spec": ["size": 2]], schema: schema) == [])
        #expect(
            StructuralSchema.validated(["spec": ["size": 1]], old: ["spec": ["size": 2]], schema: schema)
                == [.forbidden("spec", "must not shrink")])
    }

    @Test func messagesMayBeExpressions() {
        let schema = Self.schema(
            "self.size < 9", more: ["messageExpression": "'size is ' + string(self.size)", "fieldPath": ".size"])
        let causes = StructuralSchema.validated(["spec": ["size": 10]], old: nil, schema: schema)
        #expect(causes == [FieldCause(reason: "FieldValueInvalid", message: "Invalid value: size is 10", field: "spec.size")])
    }

    @Test func aRuleThatFailsIsReported() {
        let causes = StructuralSchema.validated(["spec": [:]], old: nil, schema: Self.schema("self.size < 9"))
        #expect(causes.map(\.reason) == ["FieldValueInvalid"])
    }

    @Test func numbersAreDoublesWhateverTheirSpelling() {
        #expect(
            StructuralSchema.validated(["spec": ["ratio": 2]], old: nil, schema: Self.schema("self.ratio / 4.0 == 0.5")) == [])
    }
}
