import ResourceModel

/// The fields in which two forms of one object differ; lists of named items are compared item by item.
func fieldDifferences(from before: JSONValue, to after: JSONValue, id: ResourceID) -> [FieldChange] {
    var changes: [FieldChange] = []
    let isSecret = id.kind == "Secret" && id.group.isEmpty
    collectDifferences(before, after, path: "", into: &changes)
    return changes.filter { !serverFields.contains($0.path) && !$0.path.hasPrefix(".status") }.map { change in
        var change = change
        change.isSecret = isSecret && (change.path.hasPrefix(".data") || change.path.hasPrefix(".metadata.annotations"))
        return change
    }
}

/// What only the server writes: never a difference that a person made.
private let serverFields: Set<String> = [
    ".metadata.resourceVersion", ".metadata.generation", ".metadata.managedFields", ".metadata.uid", ".metadata.creationTimestamp",
]

private func collectDifferences(_ before: JSONValue?, _ after: JSONValue?, path: String, into changes: inout [FieldChange]) {
    if before == after { return }
    switch (before, after) {
    case (.object(let left)?, .object(let right)?):
        for member in left {
            collectDifferences(
                member.value, right[member.key], path: "\(path).\(OwnedFieldsComparison.escaped(member.key))", into: &changes)
        }
        for member in right where !left.contains(member.key) {
            changes.append(
                FieldChange(path: "\(path).\(OwnedFieldsComparison.escaped(member.key))", before: nil, after: member.value))
        }
    case (.array(let left)?, .array(let right)?) where hasUniqueNames(left) && hasUniqueNames(right):
        for item in left {
            let name = item["name"]?.stringValue ?? ""
            collectDifferences(
                item, right.first { $0["name"]?.stringValue == name }, path: "\(path)[name=\"\(name)\"]", into: &changes)
        }
        for item in right {
            let name = item["name"]?.stringValue ?? ""
            if !left.contains(where: { $0["name"]?.stringValue == name }) {
                changes.append(FieldChange(path: "\(path)[name=\"\(name)\"]", before: nil, after: item))
            }
        }
    default:
        changes.append(FieldChange(path: path, before: before, after: after))
    }
}

private func hasUniqueNames(_ items: [JSONValue]) -> Bool {
    let names = items.compactMap { $0["name"]?.stringValue }
    return names.count == items.count && Set(names).count == names.count
}

/// The fields in which two declarations of one object differ, in the form in which they are sent: what only a server writes, and
/// spellings that the server changes for all of them (a Secret's `stringData`), make none.
package func declaredDifferences(from before: Manifest, to after: Manifest) -> [FieldChange] {
    let applySet = ApplySet(application: "")
    let bodies = [before, after].map { Intent(manifest: $0, application: "", applySet: applySet).body }
    return fieldDifferences(from: bodies[0], to: bodies[1], id: after.id)
}
