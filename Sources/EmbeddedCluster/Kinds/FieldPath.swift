import ResourceModel

/// The path of a field in an object, as causes name it: `spec.template.spec.containers[0].name`, `data[key]`.
struct FieldPath: Sendable, CustomStringConvertible {
    let description: String

    init(_ text: String = "") { description = text }

    /// A member of this object.
    subscript(name: String) -> FieldPath { FieldPath(description.isEmpty ? name : "\(description).\(name)") }
    /// An item of this list.
    subscript(index: Int) -> FieldPath { FieldPath("\(description)[\(index)]") }
    /// A value of this map.
    func key(_ key: String) -> FieldPath { FieldPath("\(description)[\(key)]") }
}

/// Collects what is wrong with an object, in the order in which it is found.
struct Validator {
    private(set) var causes: [FieldCause] = []

    init() {}

    mutating func invalid(_ path: FieldPath, _ value: JSONValue?, _ detail: String) {
        causes.append(.invalid(path.description, value ?? .null, detail))
    }

    mutating func required(_ path: FieldPath, _ detail: String = "") {
        causes.append(.required(path.description, detail))
    }

    mutating func notSupported(_ path: FieldPath, _ value: JSONValue?, _ supported: [String]) {
        causes.append(.notSupported(path.description, value ?? "", supported))
    }

    mutating func duplicate(_ path: FieldPath, _ value: JSONValue) {
        causes.append(.duplicate(path.description, value))
    }

    mutating func forbidden(_ path: FieldPath, _ detail: String) {
        causes.append(.forbidden(path.description, detail))
    }

    mutating func tooLong(_ path: FieldPath, _ maximum: Int) {
        causes.append(
            FieldCause(reason: "FieldValueTooLong", message: "Too long: may not be more than \(maximum) bytes", field: path.description))
    }

    mutating func notFound(_ path: FieldPath, _ value: JSONValue) {
        causes.append(FieldCause(reason: "FieldValueNotFound", message: "Not found: \(value.jsonString)", field: path.description))
    }

    mutating func append(_ more: [FieldCause]) { causes += more }

    // MARK: What many fields share

    /// One cause for each thing that is wrong with a name or another text.
    mutating func format(_ path: FieldPath, _ value: JSONValue?, _ problems: [String]) {
        for problem in problems { invalid(path, value, problem) }
    }

    /// A string that must be one of some words; a missing one is required.
    mutating func oneOf(_ path: FieldPath, _ value: JSONValue?, _ supported: [String], isRequired: Bool = true, missing: String = "") {
        let text = value?.stringValue ?? ""
        if text.isEmpty {
            if isRequired { required(path, missing) }
        } else if !supported.contains(text) {
            notSupported(path, value, supported.sorted())
        }
    }

    mutating func nonNegative(_ path: FieldPath, _ value: JSONValue?) {
        if let number = value?.integerValue, number < 0 { invalid(path, value, "must be greater than or equal to 0") }
    }

    mutating func positive(_ path: FieldPath, _ value: JSONValue?) {
        if let number = value?.integerValue, number <= 0 { invalid(path, value, "must be greater than 0") }
    }

    mutating func port(_ path: FieldPath, _ value: JSONValue?) {
        let number = value?.integerValue ?? 0
        if number < 1 || number > 65535 { invalid(path, value ?? 0, "must be between 1 and 65535, inclusive") }
    }

    /// A port's number or name (an IANA service name).
    mutating func portOrName(_ path: FieldPath, _ value: JSONValue?) {
        if case .string(let name)? = value { format(path, value, Names.portName(name)) } else { port(path, value) }
    }

    /// A number or a percentage that is not negative.
    mutating func countOrPercent(_ path: FieldPath, _ value: JSONValue?) {
        switch value {
        case .string(let text)?:
            let digits = text.dropLast()
            if !text.hasSuffix("%") || digits.isEmpty || !digits.allSatisfy(\.isNumber) {
                invalid(path, value, "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
                    + "regex used for validation is '[0-9]+%')")
            }
        case .integer?: nonNegative(path, value)
        default: break
        }
    }

    /// A field that may not change once the object is there.
    mutating func immutable(_ path: FieldPath, _ new: JSONValue?, _ old: JSONValue?, _ detail: String = "field is immutable") {
        if (new ?? .null) != (old ?? .null) { invalid(path, new, detail) }
    }
}

extension JSONValue {
    /// The items of the list of that name; none when it is missing.
    func items(_ name: String) -> [JSONValue] { self[name]?.arrayValue ?? [] }

    /// The text of that name; empty when it is missing.
    func text(_ name: String) -> String { self[name]?.stringValue ?? "" }

    /// The number of that name; 0 when it is missing.
    func number(_ name: String) -> Int64 { self[name]?.integerValue ?? 0 }

    var name: String { self[path: "metadata", "name"]?.stringValue ?? "" }
    var namespaceName: String { self[path: "metadata", "namespace"]?.stringValue ?? "" }

    /// Sets a member when it is missing, null or an empty string.
    mutating func setDefault(_ name: String, _ value: JSONValue) {
        switch self[name] {
        case nil, .null?: self[name] = value
        case .string("")?: self[name] = value
        default: break
        }
    }

    /// Changes the member of that name in place when it is there and an object.
    mutating func update(_ name: String, _ change: (inout JSONValue) -> Void) {
        guard var value = self[name], value.objectValue != nil else { return }
        self[name] = .null
        change(&value)
        self[name] = value
    }

    /// Changes the member of that name, an empty object when it is missing.
    mutating func updateOrMake(_ name: String, _ change: (inout JSONValue) -> Void) {
        if self[name]?.objectValue == nil { self[name] = [:] }
        update(name, change)
    }

    /// Changes every item of the list of that name.
    mutating func updateItems(_ name: String, _ change: (inout JSONValue) -> Void) {
        guard var items = self[name]?.arrayValue else { return }
        self[name] = .null
        for index in items.indices { change(&items[index]) }
        self[name] = .array(items)
    }

    /// The members of the map of that name in order of their keys.
    func sortedMembers(_ name: String) -> [JSONObject.Member] {
        (self[name]?.objectValue?.members ?? []).sorted { $0.key < $1.key }
    }
}
