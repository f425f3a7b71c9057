import ResourceModel

extension Change {
    /// The two documents that a person compares: what is there and what shall be, both without what is nobody's business here: fields
    /// that are neither declared nor ours (defaults, other managers', the status), and tracking metadata that does not change.
    ///
    /// They differ in exactly `fields`: the second is the first with those fields set, so no second comparison decides anything.
    /// Members are sorted, as `kubectl diff` has them. Secrets' values are in them: whoever shows them masks them.
    package var documents: (before: JSONValue?, after: JSONValue?) {
        switch action {
        case .unchanged, .skip, .release: return (nil, nil)
        case .create: return (nil, manifest.map { Self.withoutTracking($0.body, keeping: []).sortedByKey })
        case .prune: return (live.map { Self.withoutTracking(OwnedProjection.document(of: $0, declared: nil), keeping: []).sortedByKey }, nil)
        case .configure, .recreate:
            guard let live else { return (nil, manifest?.body.sortedByKey) }
            return Self.documents(OwnedProjection.document(of: live, declared: manifest?.body), fields)
        }
    }

    /// Two documents that differ in exactly these fields.
    /// - Parameter base: what is there, as far as it is of interest.
    package static func documents(_ base: JSONValue, _ fields: [FieldChange]) -> (before: JSONValue?, after: JSONValue?) {
        let paths = fields.compactMap { field in FieldPath(field.path).map { (field, $0) } }
        var before = withoutTracking(base, keeping: fields.map(\.path))
        // What goes is taken away from the end of its list, so that the places of the others stay. An index of what is added is one
        // of the declared list: it says nothing about the live one.
        for (field, path) in paths.reversed() where field.before != nil || !path.endsInIndex { before = path.setting(field.before, in: before) }
        var after = before
        for (field, path) in paths {
            guard let value = field.after else { continue }
            after = field.before == nil && path.endsInIndex ? path.appending(value, in: after) : path.setting(value, in: after)
        }
        for (field, path) in paths.reversed() where field.after == nil {
            after = path.setting(nil, in: after)
            // A map that lost its last member is no line of its own.
            var above = Array(path.steps.dropLast())
            while above.count > 1, FieldPath(steps: above).value(in: after)?.objectValue?.isEmpty == true {
                after = FieldPath(steps: above).setting(nil, in: after)
                above.removeLast()
            }
        }
        return (before.sortedByKey, after.sortedByKey)
    }

    private static func withoutTracking(_ body: JSONValue, keeping paths: [String]) -> JSONValue {
        var result = body
        for (map, key) in [("labels", ApplySet.partOfLabel), ("annotations", TrackingID.annotation)] {
            let path = ".metadata.\(map)"
            guard !paths.contains(where: { $0 == path || $0.hasPrefix("\(path).\(FieldPath.escaped(key))") }) else { continue }
            result[path: "metadata", map, key] = nil
            if result[path: "metadata", map]?.objectValue?.isEmpty == true { result[path: "metadata", map] = nil }
        }
        return result
    }
}

/// The part of a live object that is declared or ours.
enum OwnedProjection {
    private static let serverMetadata: Set<String> = [
        "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds",
    ]

    static func document(of live: LiveObject, declared: JSONValue?) -> JSONValue {
        let ours = live.ownership.entries.first { $0.manager == Applier.fieldManager && $0.operation == "Apply" && $0.subresource.isEmpty }
        var result: JSONValue
        if ours == nil, declared == nil {
            result = live.body
            result["status"] = nil
            for key in serverMetadata { result[path: "metadata", key] = nil }
        } else {
            result = projected(live.body, declared, ours?.fields) ?? [:]
        }
        result["apiVersion"] = live.body["apiVersion"]
        result["kind"] = live.body["kind"]
        result[path: "metadata", "name"] = live.body[path: "metadata", "name"]
        result[path: "metadata", "namespace"] = live.body[path: "metadata", "namespace"]
        return result
    }

    /// `nil` when nothing of it is declared or ours.
    private static func projected(_ live: JSONValue, _ declared: JSONValue?, _ owned: JSONValue?) -> JSONValue? {
        if declared == nil, owned == nil { return nil }
        if let owned, FieldSet.isLeaf(owned) { return live }  // as a whole
        switch live {
        case .object(let members):
            guard declared?.objectValue != nil || owned != nil else { return live }
            var kept: [JSONObject.Member] = []
            for member in members {
                var counterpart = declared?[member.key]
                if counterpart?.isNull == true { counterpart = Optional.none }
                if let value = projected(member.value, counterpart, owned?["f:" + member.key]) { kept.append(.init(key: member.key, value: value)) }
            }
            return .object(JSONObject(kept))
        case .array(let items):
            let names = declared?.arrayValue.map { $0.compactMap { $0["name"] } } ?? []
            if owned == nil, names.count != declared?.arrayValue?.count { return live }
            return .array(
                items.compactMap { item in
                    let element = owned?.objectValue?.first { isElement($0.key, item) }?.value
                    let counterpart = declared?.arrayValue?.first { $0 == item || ($0["name"] != nil && $0["name"] == item["name"]) }
                    return projected(item, counterpart, element)
                })
        default: return live
        }
    }

    private static func isElement(_ key: String, _ item: JSONValue) -> Bool {
        if key.hasPrefix("v:") { return (try? JSONValue(parsing: String(key.dropFirst(2)))) == item }  // an unknown form names nothing
        guard key.hasPrefix("k:"), let keys = try? JSONValue(parsing: String(key.dropFirst(2))).objectValue else { return false }
        return keys.allSatisfy { item[$0.key] == $0.value }
    }
}

extension JSONValue {
    /// The same value with the members of all objects in the order of their names.
    package var sortedByKey: JSONValue {
        switch self {
        case .object(let members):
            .object(JSONObject(members.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: $0.value.sortedByKey) }))
        case .array(let items): .array(items.map(\.sortedByKey))
        default: self
        }
    }
}
