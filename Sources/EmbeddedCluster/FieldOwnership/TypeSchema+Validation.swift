import ResourceModel

/// A place where a value does not fit its type.
struct TypeViolation: Sendable, Hashable {
    /// From the violation up: turned round when it is shown.
    private var reversedPath: [PathElement] = []
    var message: String

    init(_ message: String) { self.message = message }

    mutating func prefix(_ element: PathElement) { reversedPath.append(element) }

    /// `.spec.size: expected numeric (int or float), got string`
    var description: String {
        let path = reversedPath.reversed().map(\.description).joined()
        return path.isEmpty ? message : "\(path): \(message)"
    }
}

/// Why an item of a list has no place in a set of paths.
struct ListItemError: Error { var message: String }

extension TypeSchema {
    /// Where `value` does not fit: wrong types, unknown fields, duplicate items. Empty for a value that can be applied.
    func violations(in value: JSONValue, allowingDuplicates: Bool = false) -> [TypeViolation] {
        switch shape {
        case .opaque: return []
        case .deduced:
            if case .object(let object) = value {
                var found: [TypeViolation] = []
                for member in object.members {
                    Self.add(violations(in: member.value, allowingDuplicates: allowingDuplicates), .field(member.key), &found)
                }
                return found
            }
            return []
        case .scalar(let kind): return Self.violation(in: value, as: kind).map { [TypeViolation($0)] } ?? []
        case .map(let map):
            guard case .object(let object) = value else {
                return value.isNull ? [] : [TypeViolation("expected map, got &{\(Self.plain(value))}")]
            }
            var found: [TypeViolation] = []
            for member in object.members {
                guard let type = map.fields[member.key]?.schema ?? map.element else {
                    var violation = TypeViolation("field not declared in schema")
                    violation.prefix(.field(member.key))
                    found.append(violation)
                    continue
                }
                let below = type.violations(in: member.value, allowingDuplicates: allowingDuplicates)
                if !below.isEmpty { Self.add(below, .field(member.key), &found) }
            }
            return found
        case .list(let list):
            guard case .array(let items) = value else {
                return value.isNull ? [] : [TypeViolation("expected list, got &{\(Self.plain(value))}")]
            }
            return violations(inItems: items, of: list, allowingDuplicates: allowingDuplicates)
        }
    }

    private func violations(inItems items: [JSONValue], of list: List, allowingDuplicates: Bool) -> [TypeViolation] {
        var found: [TypeViolation] = []
        var seen = ElementIndex(capacity: list.relation == .atomic ? 0 : items.count)
        for (index, item) in items.enumerated() {
            var element = PathElement.index(index)
            if list.relation != .atomic {
                do throws(ListItemError) { element = try list.element(of: item) } catch {
                    found.append(TypeViolation("element \(index): \(error.message)"))
                    return found
                }
                if !seen.insert(element, index), !allowingDuplicates {
                    found.append(TypeViolation("duplicate entries for key \(element)"))
                }
            }
            let below = list.element.violations(in: item, allowingDuplicates: allowingDuplicates)
            if !below.isEmpty { Self.add(below, element, &found) }
        }
        return found
    }

    private static func add(_ below: [TypeViolation], _ element: PathElement, _ found: inout [TypeViolation]) {
        for var violation in below {
            violation.prefix(element)
            found.append(violation)
        }
    }

    private static func violation(in value: JSONValue, as kind: Scalar) -> String? {
        switch (kind, value) {
        case (_, .null), (.string, .string), (.number, .integer), (.number, .number), (.integer, .integer), (.integer, .number),
            (.boolean, .bool), (.any, .string), (.any, .integer), (.any, .number), (.any, .bool):
            return nil
        case (.string, _): return "expected string, got &value.valueUnstructured{Value:\(plain(value))}"
        case (.number, _), (.integer, _): return "expected numeric (int or float), got \(goType(value))"
        case (.boolean, _): return "expected boolean, got &{\(plain(value))}"
        case (.any, _): return "expected any scalar, got &{\(plain(value))}"
        }
    }

    private static func plain(_ value: JSONValue) -> String {
        if case .string(let text) = value { text } else { value.jsonString }
    }

    private static func goType(_ value: JSONValue) -> String {
        switch value {
        case .string: "string"
        case .bool: "bool"
        case .array: "[]interface {}"
        case .object: "map[string]interface {}"
        default: "float64"
        }
    }
}

extension TypeSchema.List {
    /// The path element that identifies an item of a set or a list of maps.
    func element(of item: JSONValue) throws(ListItemError) -> PathElement {
        if relation == .set {
            switch item {
            case .null: throw ListItemError(message: "associative list without keys has an element that's an explicit null")
            case .object: throw ListItemError(message: "associative list without keys has an element that's a map type")
            case .array: throw ListItemError(message: "not supported: associative list with lists as elements")
            default: return .value(item)
            }
        }
        guard case .object(let object) = item else {
            throw ListItemError(
                message: item.isNull
                    ? "associative list with keys has an element that is null"
                    : "associative list with keys may not have non-map elements")
        }
        var fields: [PathElement.KeyField] = []
        fields.reserveCapacity(keys.count)
        for key in keys {
            if let value = object[key], !value.isNull {
                fields.append(.init(name: key, value: value))
            } else if let value = element.field(key)?.keyDefault {
                fields.append(.init(name: key, value: value))
            }
        }
        // An item without one of several keys is another one than those that have it.
        if fields.isEmpty {
            let names = keys.map { JSONValue.string($0).jsonString }.joined(separator: " ")
            throw ListItemError(
                message: "associative list with keys has an element that omits all key fields [\(names)] "
                    + "(and doesn't have default values for any key fields)")
        }
        return .key(fields)
    }
}

/// Positions by path element: linear while it is short, hashed beyond.
struct ElementIndex {
    private var elements: [PathElement] = []
    private var positions: [Int] = []
    private var table: [PathElement: Int]?

    init(capacity: Int) { if capacity > 8 { table = Dictionary(minimumCapacity: capacity) } }

    subscript(element: PathElement) -> Int? {
        if let table { return table[element] }
        return elements.firstIndex(of: element).map { positions[$0] }
    }

    /// - Returns: false when the element is known already; its position stays the first one.
    mutating func insert(_ element: PathElement, _ position: Int) -> Bool {
        if table != nil {
            if table?[element] != nil { return false }
            table?[element] = position
            return true
        }
        if elements.contains(element) { return false }
        elements.append(element)
        positions.append(position)
        return true
    }
}
