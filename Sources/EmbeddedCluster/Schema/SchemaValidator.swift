import ResourceModel

/// Checks a value against a structural schema and words what is wrong as the server does.
struct SchemaValidator {
    let schema: TypeSchema

    func causes(in object: JSONValue, old: JSONValue?) -> [FieldCause] {
        var causes: [FieldCause] = []
        if let constraints = schema.constraints { Self.validate(object, constraints.source, "", &causes, isResource: true) }
        Self.validateLists(object, schema, "", &causes)
        guard let source = schema.constraints?.source, ValidationRule.exist(in: source) else { return causes }
        if causes.contains(where: { Self.blocking.contains($0.reason) }) {
            causes.append(
                .invalid(
                    "<nil>", .null,
                    "some validation rules were not checked because the object was invalid; "
                        + "correct the existing errors to complete validation"))
        } else {
            causes += ValidationRule.causes(in: object, old: old, schema: schema, path: "")
        }
        return causes
    }

    /// What a value must not be wrong in before rules can be evaluated on it.
    private static let blocking: Set<String> = [
        "FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid",
    ]

    /// JSON Schema's keywords, as far as structural schemas may use them.
    private static func validate(
        _ value: JSONValue, _ schema: JSONObject, _ path: String, _ causes: inout [FieldCause], isResource: Bool = false
    ) {
        if value.isNull, schema["nullable"]?.boolValue == true { return }
        guard checkType(value, schema, path, &causes) else { return }
        checkCombinations(value, schema, path, &causes)
        if let allowed = schema["enum"]?.arrayValue, !allowed.contains(value) {
            causes.append(.notSupported(path, value, allowed.map { $0.stringValue ?? $0.jsonString }))
        }
        switch value {
        case .string(let text): checkString(text, schema, path, &causes)
        case .integer, .number: checkNumber(value, schema, path, &causes)
        case .array(let items): checkItems(items, schema, path, &causes)
        case .object(let object): checkMembers(object, schema, path, &causes, isResource: isResource)
        default: break
        }
    }

    private static func checkType(
        _ value: JSONValue, _ schema: JSONObject, _ path: String, _ causes: inout [FieldCause]
    ) -> Bool {
        let isIntOrString = schema["x-kubernetes-int-or-string"]?.boolValue == true
        let type = isIntOrString ? "integer,string" : schema["type"]?.stringValue ?? ""
        if type.isEmpty { return true }
        let found = typeName(value)
        let fits =
            switch type {
            case "integer,string": found == "integer" || found == "string"
            case "number": found == "integer" || found == "number"
            default: found == type
            }
        if fits { return true }
        causes.append(
            FieldCause(
                reason: "FieldValueTypeInvalid",
                message: "Invalid value: \"\(found)\": \(subject(path)) must be of type \(type): \"\(found)\"", field: path))
        return false
    }

    private static func typeName(_ value: JSONValue) -> String {
        if case .number(let literal) = value, let number = Double(literal), number == number.rounded() { return "integer" }
        return value.typeName
    }

    private static func subject(_ path: String) -> String { path.isEmpty ? "\"\" in body" : "\(path) in body" }

    private static func invalid(_ path: String, _ value: JSONValue, _ detail: String) -> FieldCause {
        .invalid(path.isEmpty ? "<nil>" : path, value, "\(subject(path)) \(detail)")
    }

    private static func checkString(_ text: String, _ schema: JSONObject, _ path: String, _ causes: inout [FieldCause]) {
        let length = text.unicodeScalars.count
        if let limit = schema["maxLength"]?.integerValue, length > limit {
            causes.append(
                FieldCause(
                    reason: "FieldValueTooLong", message: "Too long: may not be more than \(limit) bytes", field: path))
            return
        }
        if let limit = schema["minLength"]?.integerValue, length < limit {
            causes.append(invalid(path, .string(text), "should be at least \(limit) chars long"))
            return
        }
        if let pattern = schema["pattern"]?.stringValue {
            guard let matches = PatternCache.matches(text, pattern) else {
                causes.append(invalid(path, .string(text), "can't be matched: '\(pattern)' is no regular expression known here"))
                return
            }
            if !matches {
                causes.append(invalid(path, .string(text), "should match '\(pattern)'"))
                return
            }
        }
        if let format = schema["format"]?.stringValue, let fits = StringFormat.fits(text, format), !fits {
            causes.append(
                FieldCause(
                    reason: "FieldValueTypeInvalid",
                    message: "Invalid value: \(JSONValue.string(text).jsonString): \(subject(path)) must be of type \(format): "
                        + JSONValue.string(text).jsonString, field: path))
        }
    }

    private static func checkNumber(_ value: JSONValue, _ schema: JSONObject, _ path: String, _ causes: inout [FieldCause]) {
        guard let number = value.doubleValue else { return }
        if let factor = schema["multipleOf"]?.doubleValue, factor != 0 {
            let quotient = number / factor
            if quotient != quotient.rounded() { causes.append(invalid(path, value, "should be a multiple of \(shown(factor))")) }
        }
        if let limit = schema["maximum"]?.doubleValue {
            if schema["exclusiveMaximum"]?.boolValue == true {
                if number >= limit { causes.append(invalid(path, value, "should be less than \(shown(limit))")) }
            } else if number > limit {
                causes.append(invalid(path, value, "should be less than or equal to \(shown(limit))"))
            }
        }
        if let limit = schema["minimum"]?.doubleValue {
            if schema["exclusiveMinimum"]?.boolValue == true {
                if number <= limit { causes.append(invalid(path, value, "should be greater than \(shown(limit))")) }
            } else if number < limit {
                causes.append(invalid(path, value, "should be greater than or equal to \(shown(limit))"))
            }
        }
    }

    private static func shown(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : "\(number)"
    }

    private static func checkItems(_ items: [JSONValue], _ schema: JSONObject, _ path: String, _ causes: inout [FieldCause]) {
        if let element = schema["items"]?.objectValue {
            for (index, item) in items.enumerated() { validate(item, element, "\(path)[\(index)]", &causes) }
        }
        let count = items.count
        if let limit = schema["maxItems"]?.integerValue, count > limit {
            causes.append(tooMany(path, count, limit))
        } else if let limit = schema["minItems"]?.integerValue, count < limit {
            causes.append(invalid(path, .integer(Int64(count)), "should have at least \(limit) items"))
        }
        if schema["uniqueItems"]?.boolValue == true, Set(items).count < count {
            causes.append(invalid(path, "", "shouldn't contain duplicates"))
        }
    }

    private static func tooMany(_ path: String, _ count: Int, _ limit: Int64) -> FieldCause {
        FieldCause(reason: "FieldValueTooMany", message: "Too many: \(count): must have at most \(limit) items", field: path)
    }

    private static func checkMembers(
        _ object: JSONObject, _ schema: JSONObject, _ path: String, _ causes: inout [FieldCause], isResource: Bool
    ) {
        func child(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
        if let limit = schema["maxProperties"]?.integerValue, object.count > limit {
            causes.append(tooMany(path, object.count, limit))
        } else if let limit = schema["minProperties"]?.integerValue, object.count < limit {
            causes.append(invalid(path, .object(object), "should have at least \(limit) properties"))
        }
        let properties = schema["properties"]?.objectValue ?? JSONObject()
        let additional = schema["additionalProperties"]?.objectValue
        for member in object.members.sorted(by: { $0.key < $1.key }) {
            if let property = properties[member.key]?.objectValue {
                // The server has checked the metadata of an object already; what a schema adds to it counts all the same.
                validate(member.value, property, child(member.key), &causes)
            } else if let additional {
                validate(member.value, additional, child(member.key), &causes)
            }
        }
        for name in schema["required"]?.arrayValue ?? [] {
            if let name = name.stringValue, !object.contains(name) { causes.append(.required(child(name))) }
        }
        if schema["x-kubernetes-embedded-resource"]?.boolValue == true, !isResource {
            for name in ["apiVersion", "kind"] where (object[name]?.stringValue ?? "").isEmpty {
                causes.append(.required(child(name), "must not be empty"))
            }
        }
    }

    private static func checkCombinations(
        _ value: JSONValue, _ schema: JSONObject, _ path: String, _ causes: inout [FieldCause]
    ) {
        func fits(_ schema: JSONValue) -> Bool {
            guard let schema = schema.objectValue else { return true }
            var found: [FieldCause] = []
            validate(value, schema, path, &found)
            return found.isEmpty
        }
        func fail(_ detail: String) {
            causes.append(
                FieldCause(reason: "FieldValueInvalid", message: "Invalid value: \"\": \"\(path)\" \(detail)", field: "<nil>"))
        }
        if let schemas = schema["anyOf"]?.arrayValue, !schemas.isEmpty, !schemas.contains(where: fits) {
            fail("must validate at least one schema (anyOf)")
        }
        if let schemas = schema["oneOf"]?.arrayValue, !schemas.isEmpty {
            let count = schemas.count(where: fits)
            if count == 0 { fail("must validate one and only one schema (oneOf). Found none valid") }
            if count > 1 { fail("must validate one and only one schema (oneOf). Found \(count) valid alternatives") }
        }
        if let schemas = schema["allOf"]?.arrayValue, !schemas.allSatisfy(fits) {
            for schema in schemas {
                if let schema = schema.objectValue { validate(value, schema, path, &causes) }
            }
            fail("must validate all the schemas (allOf)")
        }
        if let negated = schema["not"], fits(negated) { fail("must not validate the schema (not)") }
    }

    /// Items of sets and of lists with keys must differ.
    private static func validateLists(_ value: JSONValue, _ schema: TypeSchema, _ path: String, _ causes: inout [FieldCause]) {
        switch (schema.shape, value) {
        case (.map(let map), .object(let object)):
            for member in object.members {
                guard let type = map.fields[member.key]?.schema ?? map.element, type.constraints != nil else { continue }
                validateLists(member.value, type, path.isEmpty ? member.key : "\(path).\(member.key)", &causes)
            }
        case (.list(let list), .array(let items)):
            var seen = ElementIndex(capacity: items.count)
            for (index, item) in items.enumerated() {
                // An item without identity repeats none; what it lacks is told where its fields are checked.
                if list.relation != .atomic, let element = try? list.element(of: item), !seen.insert(element, index) {
                    let shown: JSONValue =
                        list.relation == .set
                        ? item
                        : .object(JSONObject(list.keys.map { .init(key: $0, value: item[$0] ?? .null) }))
                    causes.append(.duplicate("\(path)[\(index)]", shown))
                }
                validateLists(item, list.element, "\(path)[\(index)]", &causes)
            }
        default: break
        }
    }
}
