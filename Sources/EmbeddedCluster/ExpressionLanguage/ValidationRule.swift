import ResourceModel
import Synchronization

/// Rules of `x-kubernetes-validations`: compiled once, then evaluated on each write.
enum ValidationRule {
    private static let compiled = Mutex<[String: Result<Expression, ExpressionError>]>([:])

    private static func expression(_ rule: String) -> Result<Expression, ExpressionError> {
        compiled.withLock { cache in
            if let known = cache[rule] { return known }
            let result: Result<Expression, ExpressionError>
            do throws(ExpressionError) {
                let expression = try ExpressionParser.parse(rule)
                try check(expression)
                result = .success(expression)
            } catch {
                result = .failure(error)
            }
            cache[rule] = result
            return result
        }
    }

    /// Why a rule can't be used, or nil. What is not supported here is refused, so that no rule passes unseen.
    ///
    /// - Parameter schema: the type of `self`; nil leaves field names unchecked.
    static func problem(in rule: String, schema: TypeSchema? = nil) -> String? {
        do throws(ExpressionError) {
            let expression = try expression(rule).get()
            guard let schema else { return nil }
            var types = RuleTypes(self: schema)
            try types.type(of: expression)
            return nil
        } catch {
            return error.description
        }
    }

    private static func check(_ expression: Expression) throws(ExpressionError) {
        let unknown = expression.freeVariables().subtracting(["self", "oldSelf"])
        if let name = unknown.min() { throw ExpressionError("undeclared reference to '\(name)' (in container '')") }
        try checkCalls(expression)
    }

    private static func checkCalls(_ expression: Expression) throws(ExpressionError) {
        switch expression {
        case .literal, .identifier: break
        case .select(let operand, _), .presence(let operand, _), .unary(_, let operand): try checkCalls(operand)
        case .index(let a, let b), .binary(_, let a, let b):
            try checkCalls(a)
            try checkCalls(b)
        case .list(let items): for item in items { try checkCalls(item) }
        case .map(let entries):
            for entry in entries {
                try checkCalls(entry.key)
                try checkCalls(entry.value)
            }
        case .conditional(let a, let b, let c): for part in [a, b, c] { try checkCalls(part) }
        case .call(let target, let name, let arguments):
            let known = (target == nil ? ExpressionFunctions.functions : ExpressionFunctions.methods)[name]
            guard let known else {
                throw ExpressionError("undeclared reference to '\(name)' (not supported by this server)")
            }
            let count = arguments.count + (target == nil ? 0 : 1)
            guard known.contains(count) else {
                throw ExpressionError("found no matching overload for '\(name)' applied to \(count) values")
            }
            if let target { try checkCalls(target) }
            for argument in arguments { try checkCalls(argument) }
        case .comprehension(_, let range, _, let bodies):
            try checkCalls(range)
            for body in bodies { try checkCalls(body) }
        }
    }

    /// Whether a schema has any rule at all.
    static func exist(in schema: JSONObject) -> Bool {
        if schema["x-kubernetes-validations"]?.arrayValue?.isEmpty == false { return true }
        for name in ["items", "additionalProperties"] {
            if let below = schema[name]?.objectValue, exist(in: below) { return true }
        }
        return (schema["properties"]?.objectValue?.members ?? []).contains { $0.value.objectValue.map(exist) ?? false }
    }

    /// The rules that `value` breaks, of its own type and of all below it.
    static func causes(in value: JSONValue, old: JSONValue?, schema: TypeSchema, path: String) -> [FieldCause] {
        var causes: [FieldCause] = []
        collect(value, old, schema, path, &causes)
        return causes
    }

    private static func collect(
        _ value: JSONValue, _ old: JSONValue?, _ schema: TypeSchema, _ path: String, _ causes: inout [FieldCause]
    ) {
        for rule in schema.constraints?.source["x-kubernetes-validations"]?.arrayValue ?? [] where !value.isNull {
            if let cause = broken(rule, value, old, schema, path) { causes.append(cause) }
        }
        switch (schema.shape, value) {
        case (.map(let map), .object(let object)):
            for member in object.members.sorted(by: { $0.key < $1.key }) {
                guard let type = map.fields[member.key]?.schema ?? map.element, type.constraints != nil else { continue }
                let previous = map.isAtomic ? nil : old?[member.key]
                collect(member.value, previous, type, path.isEmpty ? member.key : "\(path).\(member.key)", &causes)
            }
        case (.list(let list), .array(let items)) where list.element.constraints != nil:
            for (index, item) in items.enumerated() {
                collect(item, counterpart(of: item, in: old, list), list.element, "\(path)[\(index)]", &causes)
            }
        default: break
        }
    }

    private static func counterpart(of item: JSONValue, in old: JSONValue?, _ list: TypeSchema.List) -> JSONValue? {
        guard list.relation == .map, let element = try? list.element(of: item) else { return nil }  // no identity, no history
        return old?.arrayValue?.first { (try? list.element(of: $0)) == element }
    }

    private static func broken(
        _ rule: JSONValue, _ value: JSONValue, _ old: JSONValue?, _ schema: TypeSchema, _ path: String
    ) -> FieldCause? {
        let text = rule["rule"]?.stringValue ?? ""
        let field = path + (rule["fieldPath"]?.stringValue.map { path.isEmpty ? String($0.dropFirst()) : $0 } ?? "")
        let shown = field.isEmpty ? "<nil>" : field
        func failed(_ message: String) -> FieldCause {
            FieldCause(reason: "FieldValueInvalid", message: "Invalid value: \(message)", field: shown)
        }
        do throws(ExpressionError) {
            let expression = try expression(text).get()
            var variables = ["self": ExpressionValue(value, schema: schema)]
            if expression.freeVariables().contains("oldSelf") {
                guard let old else { return nil }  // a transition rule says nothing about what is new
                variables["oldSelf"] = ExpressionValue(old, schema: schema)
            }
            var evaluator = ExpressionEvaluator(variables: variables)
            guard case .bool(let holds) = try evaluator.value(of: expression) else {
                return failed("rule must evaluate to a bool: \(text)")
            }
            if holds { return nil }
            var message = rule["message"]?.stringValue ?? ""
            if let source = rule["messageExpression"]?.stringValue {
                // As on the server: a message expression that fails leaves the fixed message.
                if case .success(let expression) = Self.expression(source),
                    case .string(let made)? = try? evaluator.value(of: expression), !made.isEmpty
                {
                    message = made
                }
            }
            if message.isEmpty { message = "failed rule: \(text)" }
            switch rule["reason"]?.stringValue {
            case "FieldValueRequired": return .required(shown, message)
            case "FieldValueForbidden": return .forbidden(shown, message)
            case "FieldValueDuplicate":
                return FieldCause(reason: "FieldValueDuplicate", message: "Duplicate value: \(message)", field: shown)
            default: return failed(message)
            }
        } catch {
            return failed("\(error) evaluating rule: \(text)")
        }
    }
}
