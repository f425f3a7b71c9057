import ResourceModel

/// Who manages: what makes two entries of `metadata.managedFields` one.
package struct FieldManagerName: Sendable, Hashable {
    package enum Operation: String, Sendable {
        case apply = "Apply"
        case update = "Update"
    }

    package var manager: String
    package var operation: Operation
    /// Empty for `Apply`: a manager applies with one set, whatever the version.
    package var apiVersion: String
    package var subresource: String

    package init(manager: String, operation: Operation, apiVersion: String, subresource: String) {
        self.manager = manager.isEmpty ? "unknown" : manager
        self.operation = operation
        self.apiVersion = operation == .apply ? "" : apiVersion
        self.subresource = subresource
    }

    /// As conflicts name it: `"hpa" with subresource "scale" using apps/v1`.
    var described: String {
        var text = JSONValue.string(manager).jsonString
        if !subresource.isEmpty { text += " with subresource \(JSONValue.string(subresource).jsonString)" }
        if operation == .update { text += " using \(apiVersion)" }
        return text
    }
}

/// The content of `metadata.managedFields`.
struct ManagedFields: Sendable, Hashable {
    struct Entry: Sendable, Hashable {
        var name: FieldManagerName
        /// The version the set was recorded in.
        var apiVersion: String
        /// RFC 3339 in UTC; nil when the manager has never changed the object.
        var time: String?
        var set: FieldSet
    }

    var entries: [Entry] = []

    /// - Throws: `FieldsV1Error` when an entry is none that a server could have written.
    init(_ json: JSONValue?) throws(FieldsV1Error) {
        guard let json, !json.isNull else { return }
        guard case .array(let items) = json else { throw FieldsV1Error(message: "managedFields is no list") }
        for item in items {
            guard let operation = FieldManagerName.Operation(rawValue: item["operation"]?.stringValue ?? "") else {
                throw FieldsV1Error(message: "invalid operation \(item["operation"]?.jsonString ?? "\"\"")")
            }
            let apiVersion = item["apiVersion"]?.stringValue ?? ""
            let name = FieldManagerName(
                manager: item["manager"]?.stringValue ?? "", operation: operation, apiVersion: apiVersion,
                subresource: item["subresource"]?.stringValue ?? "")
            if let type = item["fieldsType"]?.stringValue, type != "FieldsV1" {
                throw FieldsV1Error(message: "unsupported fieldsType \"\(type)\"")
            }
            let set = if let fields = item["fieldsV1"], !fields.isNull { try FieldSet(fieldsV1: fields) } else { FieldSet() }
            entries.append(Entry(name: name, apiVersion: apiVersion, time: item["time"]?.stringValue, set: set))
        }
    }

    init() {}

    var isEmpty: Bool { entries.isEmpty }

    /// After a definition has made granular fields atomic. Built-in types never do.
    mutating func reconcile(with schema: TypeSchema) {
        guard schema.constraints != nil else { return }
        for index in entries.indices { entries[index].set = entries[index].set.reconciled(with: schema) }
    }

    subscript(name: FieldManagerName) -> Entry? {
        get { entries.first { $0.name == name } }
        set {
            if let index = entries.firstIndex(where: { $0.name == name }) {
                if let newValue { entries[index] = newValue } else { entries.remove(at: index) }
            } else if let newValue {
                entries.append(newValue)
            }
        }
    }

    mutating func removeEmpty() { entries.removeAll { $0.set.isEmpty } }

    /// The list as objects carry it, in the server's order; nil when nobody manages anything.
    var json: JSONValue? {
        if entries.isEmpty { return nil }
        let sorted = entries.sorted { left, right in
            if left.name.operation != right.name.operation { return left.name.operation == .apply }
            if left.time != right.time { return (left.time ?? "") < (right.time ?? "") }
            if left.name.manager != right.name.manager { return left.name.manager < right.name.manager }
            if left.apiVersion != right.apiVersion { return left.apiVersion < right.apiVersion }
            return left.name.subresource < right.name.subresource
        }
        return .array(sorted.map(\.json))
    }

    /// At most ten entries of updates: the oldest are merged, a bucket for each version.
    mutating func capUpdates(at limit: Int = 10) {
        var updates = entries.filter { $0.name.operation == .update }
        guard updates.count > limit else { return }
        updates.sort { ($0.time ?? "", $0.name.manager) < ($1.time ?? "", $1.name.manager) }
        var firstOfVersion: [String: FieldManagerName] = [:]
        var count = updates.count
        for entry in updates {
            if count <= limit { break }
            let bucket = FieldManagerName(
                manager: "ancient-changes", operation: .update, apiVersion: entry.apiVersion, subresource: "")
            if let first = firstOfVersion[entry.apiVersion] {
                if self[bucket] == nil, var moved = self[first] {
                    self[first] = nil
                    moved.name = bucket
                    self[bucket] = moved
                }
                if var merged = self[bucket] {
                    merged.set = entry.set.union(merged.set)
                    merged.time = entry.time
                    self[bucket] = merged
                }
                if entry.name != bucket { self[entry.name] = nil }
                count -= 1
            } else {
                firstOfVersion[entry.apiVersion] = entry.name
            }
        }
    }
}

extension ManagedFields.Entry {
    var json: JSONValue {
        var members: [JSONObject.Member] = [
            .init(key: "manager", value: .string(name.manager)),
            .init(key: "operation", value: .string(name.operation.rawValue)),
            .init(key: "apiVersion", value: .string(apiVersion)),
        ]
        if let time { members.append(.init(key: "time", value: .string(time))) }
        members.append(.init(key: "fieldsType", value: "FieldsV1"))
        members.append(.init(key: "fieldsV1", value: set.fieldsV1))
        if !name.subresource.isEmpty { members.append(.init(key: "subresource", value: .string(name.subresource))) }
        return .object(JSONObject(members))
    }
}
