import ResourceModel

/// Objects as `kubectl get` shows them: `meta.k8s.io/v1` Table.
struct Table {
    let resource: ResourceType
    /// `None`, `Metadata` or `Object`.
    let includeObject: String

    /// - Parameter withColumns: watches send the columns with their first event only.
    func document(_ objects: [JSONValue], metadata: JSONValue, withColumns: Bool = true) -> JSONValue {
        let now = Timestamp.seconds()
        return [
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            "columnDefinitions": withColumns ? .array(columns) : .null,
            "rows": .array(
                objects.map { object in
                    var row: JSONValue = ["cells": .array(cells(object, now: now))]
                    switch includeObject {
                    case "None": break
                    case "Object": row["object"] = object
                    default: row["object"] = Presentation.partial(object)
                    }
                    return row
                }),
        ]
    }

    private static let nameDescription =
        "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to "
        + "request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and "
        + "configuration definition. Cannot be updated. More info: "
        + "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"

    private static let ageDescription =
        "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in "
        + "happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is "
        + "in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: "
        + "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"

    static func column(_ name: String, _ type: String, format: String = "", description: String, priority: Int64 = 0) -> JSONValue {
        [
            "name": .string(name), "type": .string(type), "format": .string(format), "description": .string(description),
            "priority": .integer(priority),
        ]
    }

    private var columns: [JSONValue] {
        if let custom = resource.custom {
            var columns = [Self.column("Name", "string", format: "name", description: Self.nameDescription)]
            if custom.columns.isEmpty {
                columns.append(Self.column("Age", "date", description: Self.ageDescription))
            }
            for column in custom.columns {
                columns.append(
                    Self.column(
                        column.name, column.type, format: column.format, description: column.description, priority: column.priority))
            }
            return columns
        }
        return ObjectRules.tableColumns(resource)
            ?? [
                Self.column("Name", "string", format: "name", description: Self.nameDescription),
                Self.column("Age", "string", description: Self.ageDescription),
            ]
    }

    private func cells(_ object: JSONValue, now: Int64) -> [JSONValue] {
        let name = object[path: "metadata", "name"] ?? ""
        let created = object[path: "metadata", "creationTimestamp"]
        if let custom = resource.custom {
            if custom.columns.isEmpty { return [name, created ?? .null] }
            return [name] + custom.columns.map { column in cell(column, object, now: now) }
        }
        return ObjectRules.tableRow(resource, object, now: now) ?? [name, .string(Self.age(created?.stringValue, now: now))]
    }

    private func cell(_ column: CustomResource.Column, _ object: JSONValue, now: Int64) -> JSONValue {
        guard let value = JSONPath.first(column.jsonPath, in: object) else { return .null }
        switch column.type {
        case "integer", "number", "boolean": return value
        case "date": return .string(Self.age(value.stringValue, now: now))
        default:
            if let text = value.stringValue { return .string(text) }
            return .string(value.jsonString)
        }
    }

    /// `5s`, `3m20s`, `2d`: how long ago, as kubectl shows it.
    static func age(_ time: String?, now: Int64) -> String {
        guard let time, let seconds = Timestamp.parse(time) else { return "<unknown>" }
        return duration(now - seconds)
    }

    static func duration(_ seconds: Int64) -> String {
        if seconds < -1 { return "<invalid>" }
        if seconds < 0 { return "0s" }
        if seconds < 120 { return "\(seconds)s" }
        let minutes = seconds / 60
        if minutes < 10 { return seconds % 60 == 0 ? "\(minutes)m" : "\(minutes)m\(seconds % 60)s" }
        if minutes < 180 { return "\(minutes)m" }
        let hours = minutes / 60
        if hours < 8 { return minutes % 60 == 0 ? "\(hours)h" : "\(hours)h\(minutes % 60)m" }
        if hours < 48 { return "\(hours)h" }
        let days = hours / 24
        if hours < 192 { return hours % 24 == 0 ? "\(days)d" : "\(days)d\(hours % 24)h" }
        if days < 730 { return "\(days)d" }
        let years = days / 365
        if years < 8 { return days % 365 == 0 ? "\(years)y" : "\(years)y\(days % 365)d" }
        return "\(years)y"
    }
}

/// The part of JSONPath that printer columns use: `.spec.size`, `.status.conditions[?(@.type=="Ready")].status`, `.a[0].b`.
enum JSONPath {
    static func first(_ path: String, in object: JSONValue) -> JSONValue? {
        var values = [object]
        var rest = Substring(path)
        while let character = rest.first {
            if character == "." {
                rest.removeFirst()
                continue
            }
            if character == "[" {
                guard let end = closing(rest) else { return nil }
                let inner = rest[rest.index(after: rest.startIndex)..<end]
                rest = rest[rest.index(after: end)...]
                values = values.flatMap { select(inner, in: $0) }
                continue
            }
            var name = ""
            while let next = rest.first, next != ".", next != "[" {
                rest.removeFirst()
                if next == "\\", let escaped = rest.popFirst() { name.append(escaped) } else { name.append(next) }
            }
            values = values.compactMap { $0[name] }
        }
        return values.first
    }

    private static func closing(_ text: Substring) -> Substring.Index? {
        var isQuoted: Character?
        var index = text.startIndex
        while index < text.endIndex {
            let character = text[index]
            if let quote = isQuoted {
                if character == quote { isQuoted = nil }
            } else if character == "\"" || character == "'" {
                isQuoted = character
            } else if character == "]" {
                return index
            }
            index = text.index(after: index)
        }
        return nil
    }

    private static func select(_ inner: Substring, in value: JSONValue) -> [JSONValue] {
        if inner == "*" { return value.arrayValue ?? value.objectValue?.members.map(\.value) ?? [] }
        if let index = Int(inner) {
            let items = value.arrayValue ?? []
            return items[safe: index < 0 ? items.count + index : index].map { [$0] } ?? []
        }
        if inner.hasPrefix("?("), inner.hasSuffix(")") {
            let condition = inner.dropFirst(2).dropLast()
            let sides = condition.split(separator: "=", omittingEmptySubsequences: true)
            guard sides.count == 2 else { return [] }
            let path = sides[0].filter { $0 != " " }.drop { $0 == "@" }
            let wanted = sides[1].filter { !" \"'".contains($0) }
            return (value.arrayValue ?? []).filter { first(String(path), in: $0)?.stringValue == String(wanted) }
        }
        let name = inner.filter { !"'\"".contains($0) }
        return value[String(name)].map { [$0] } ?? []
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
