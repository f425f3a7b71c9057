import ResourceModel

/// Strategic merge patch: a merge patch that knows from the schema how lists are merged, with directives that say otherwise.
///
/// https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
package enum StrategicMergePatch {
    private static let directive = "$patch"
    private static let retainKeys = "$retainKeys"
    private static let order = "$setElementOrder/"
    private static let deletion = "$deleteFromPrimitiveList/"

    /// - Throws: `PatchFailure` when the patch is no object, a directive is unknown, or a list item lacks its merge key.
    package static func apply(_ patch: JSONValue, to target: JSONValue, schema: TypeSchema) throws(PatchFailure) -> JSONValue {
        guard case .object(let changes) = patch else {
            throw .badRequest(
                "error decoding patch: json: cannot unmarshal \(patch.typeName) into Go value of type map[string]interface {}")
        }
        return .object(try merged(target.objectValue ?? JSONObject(), changes, schema))
    }

    private static func merged(_ original: JSONObject, _ patch: JSONObject, _ schema: TypeSchema?) throws(PatchFailure)
        -> JSONObject
    {
        var patch = patch
        switch patch[directive]?.stringValue {
        case "replace":
            patch[directive] = nil
            return patch
        case "delete": return JSONObject()
        case "merge": patch[directive] = nil
        case let unknown?: throw .failed("unknown patch type: \(unknown) in map: \(JSONValue.object(patch).jsonString)")
        case nil: break
        }
        var result = original
        try retain(&result, &patch)
        try applyOrders(&result, &patch, schema)
        for member in patch.members {
            if member.key.hasPrefix(deletion) {
                let key = String(member.key.dropFirst(deletion.count))
                guard case .array(let items)? = result[key], case .array(let gone) = member.value else { continue }
                result[key] = .array(items.filter { !gone.contains($0) })
            } else if member.value.isNull {
                result[member.key] = nil
            } else if let existing = result[member.key] {
                result[member.key] = try merged(existing, member.value, field: member.key, schema)
            } else {
                result[member.key] = added(member.value)
            }
        }
        return result
    }

    private static func retain(_ result: inout JSONObject, _ patch: inout JSONObject) throws(PatchFailure) {
        guard let listed = patch[retainKeys] else { return }
        patch[retainKeys] = nil
        guard case .array(let items) = listed else {
            throw .badRequest("invalid patch format of retainKeys")
        }
        let kept = Set(items.compactMap(\.stringValue))
        // A null clears what is not retained anyway: `kubectl apply` writes it (`strategy: {$retainKeys: [type], rollingUpdate: null, ...}`).
        for member in patch.members where !member.value.isNull && !member.key.hasPrefix("$") && !kept.contains(member.key) {
            throw .badRequest("invalid patch format of retainKeys")
        }
        result.removeAll { !kept.contains($0.key) }
    }

    private static func merged(
        _ existing: JSONValue, _ patch: JSONValue, field name: String, _ schema: TypeSchema?
    ) throws(PatchFailure) -> JSONValue {
        switch (existing, patch) {
        case (.object(let old), .object(let new)):
            if case .opaque? = schema?.member(name)?.shape { return patch }
            return .object(try merged(old, new, schema?.member(name)))
        case (.array(let old), .array(let new)):
            guard let field = schema?.field(name), field.patchStrategy.contains(.merge) else { return patch }
            return .array(try list(old, new, field))
        default: return patch
        }
    }

    /// `$setElementOrder/<list>`: merges that list and puts it in the wanted order.
    private static func applyOrders(_ result: inout JSONObject, _ patch: inout JSONObject, _ schema: TypeSchema?)
        throws(PatchFailure)
    {
        for member in patch.members where member.key.hasPrefix(order) {
            patch[member.key] = nil
            let key = String(member.key.dropFirst(order.count))
            guard case .array(let wanted) = member.value else {
                throw .badRequest("invalid patch format of setElementOrder list")
            }
            let field = schema?.field(key)
            let mergeKey = field?.patchMergeKey
            let before = result[key]?.arrayValue
            let change = patch[key]?.arrayValue
            var items: [JSONValue]
            switch (before, change) {
            case (nil, nil): continue
            case (let before?, nil): items = before
            case (nil, let change?): items = change.compactMap { $0[directive] == nil ? added($0) : nil }
            case (let before?, let change?):
                items =
                    try field.map { (field) throws(PatchFailure) in
                        try list(before, change, field)
                    } ?? change
            }
            patch[key] = nil
            let ordered = items.filter { item in wanted.contains { isSame($0, item, mergeKey) } }
            let others = items.filter { item in !wanted.contains { isSame($0, item, mergeKey) } }
            let live = orderAfterDeletions(in: before ?? [], of: change ?? [], items, mergeKey)
            result[key] = .array(interleaved(others, sorted(ordered, like: wanted, mergeKey), live, mergeKey))
        }
    }

    /// The live list's order as real servers see it once the patch is merged: their merge works in place, so that what it adds stands where
    /// what it deleted was (apimachinery, `mergePatchIntoOriginal`).
    private static func orderAfterDeletions(
        in live: [JSONValue], of change: [JSONValue], _ merged: [JSONValue], _ mergeKey: String?
    ) -> [JSONValue] {
        guard mergeKey != nil, change.contains(where: { $0[directive] == "delete" }) else { return live }
        let left = live.filter { item in merged.contains { isSame($0, item, mergeKey) } }
        let added = change.filter { item in item[directive] == nil && !live.contains { isSame($0, item, mergeKey) } }
        return left + added.prefix(live.count - left.count)
    }

    private static func list(_ old: [JSONValue], _ new: [JSONValue], _ field: TypeSchema.Field) throws(PatchFailure)
        -> [JSONValue]
    {
        guard (new.first ?? old.first)?.objectValue != nil else {
            var result = old
            for item in new where !result.contains(item) { result.append(item) }
            let patched = result.filter { new.contains($0) }
            let others = result.filter { !new.contains($0) }
            return interleaved(others, sorted(patched, like: new, nil), old, nil)
        }
        guard let mergeKey = field.patchMergeKey else {
            throw .failed("cannot merge lists without merge key")
        }
        var result = old
        var plain: [JSONValue] = []
        var replaces = false
        for item in new {
            guard case .object(let object) = item else { throw .failed("list item \(item.jsonString) is no map") }
            switch object[directive]?.stringValue {
            case nil: plain.append(item)
            case "replace": replaces = true
            case "delete":
                guard let key = object[mergeKey] else { throw missing(mergeKey, object) }
                result.removeAll { $0[mergeKey] == key }
            case "merge": throw .failed("merging list cannot yet be specified in the patch")
            case let unknown?: throw .failed("unknown patch type: \(unknown) in map: \(item.jsonString)")
            }
        }
        if replaces { return plain }
        for item in plain {
            guard case .object(let object) = item, let key = object[mergeKey] else {
                throw missing(mergeKey, item.objectValue ?? JSONObject())
            }
            if let index = result.firstIndex(where: { $0[mergeKey] == key }), case .object(let existing) = result[index] {
                result[index] = .object(try merged(existing, object, field.schema.items))
            } else {
                result.append(added(item))
            }
        }
        let patched = result.filter { item in plain.contains { isSame($0, item, mergeKey) } }
        let others = result.filter { item in !plain.contains { isSame($0, item, mergeKey) } }
        return interleaved(others, sorted(patched, like: plain, mergeKey), old, mergeKey)
    }

    private static func missing(_ mergeKey: String, _ object: JSONObject) -> PatchFailure {
        .failed("map: \(JSONValue.object(object).jsonString) does not contain declared merge key: \(mergeKey)")
    }

    private static func isSame(_ left: JSONValue, _ right: JSONValue, _ mergeKey: String?) -> Bool {
        if let mergeKey { left[mergeKey] == right[mergeKey] } else { left == right }
    }

    private static func sorted(_ items: [JSONValue], like model: [JSONValue], _ mergeKey: String?) -> [JSONValue] {
        func rank(_ item: JSONValue) -> Int { model.firstIndex { isSame($0, item, mergeKey) } ?? Int.max }
        return items.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }.map(\.element)
    }

    /// Items that the patch does not name go before the first named one that they preceded in the live list.
    private static func interleaved(
        _ others: [JSONValue], _ patched: [JSONValue], _ live: [JSONValue], _ mergeKey: String?
    ) -> [JSONValue] {
        func position(_ item: JSONValue) -> Int? { live.firstIndex { isSame($0, item, mergeKey) } }
        var result: [JSONValue] = []
        var left = others[...]
        var right = patched[...]
        while let first = left.first, let second = right.first {
            if let a = position(first), let b = position(second), a < b {
                result.append(left.removeFirst())
            } else {
                result.append(right.removeFirst())
            }
        }
        return result + left + right
    }

    /// A value that the live object has nothing of: nulls and directives mean nothing there.
    private static func added(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            var kept: [JSONObject.Member] = []
            for member in object.members where !member.value.isNull {
                if member.key == directive || member.key == retainKeys || member.key.hasPrefix(order)
                    || member.key.hasPrefix(deletion)
                {
                    continue
                }
                kept.append(.init(key: member.key, value: added(member.value)))
            }
            return .object(JSONObject(kept))
        case .array(let items): return .array(items.filter { $0[directive] == nil }.map(added))
        default: return value
        }
    }
}
