import ResourceModel

/// Keeps `metadata.managedFields`: server-side apply, and who owns what after every other write. Pure functions.
package enum FieldManager {
    /// What no manager ever owns.
    private static let neverOwned = FieldSet(paths: [
        ["apiVersion"], ["kind"], ["metadata"], ["metadata", "name"], ["metadata", "namespace"],
        ["metadata", "creationTimestamp"], ["metadata", "selfLink"], ["metadata", "uid"], ["metadata", "generation"],
        ["metadata", "managedFields"], ["metadata", "resourceVersion"],
    ])

    /// The fields that a write to this (sub)resource leaves alone, so that nobody comes to own them through it.
    ///
    /// - Parameter hasStatus: whether the kind has a status subresource.
    package static func resetFields(subresource: String, hasStatus: Bool, isCustomResource: Bool = false) -> FieldSet {
        guard hasStatus else { return FieldSet() }
        switch subresource {
        case "": return FieldSet(paths: [["status"]])
        case "status": return FieldSet(paths: isCustomResource ? [["spec"], ["metadata"]] : [["spec"]])
        default: return FieldSet()
        }
    }

    private static func defaultResetFields(_ subresource: String, _ schema: TypeSchema) -> FieldSet {
        resetFields(
            subresource: subresource, hasStatus: schema.hasStatusSubresource ?? (schema.field("status") != nil),
            isCustomResource: schema.hasStatusSubresource != nil)
    }

    /// The object after `manager` has applied `patch`: merged, without what it no longer applies, with its `managedFields`.
    /// Defaults, and fields that the server sets, are the caller's business.
    ///
    /// - Parameters:
    ///   - live: the stored object, or nil when the apply creates it.
    ///   - apiVersion: the request's group and version; the patch must have the same.
    ///   - now: RFC 3339, seconds, UTC.
    ///   - resetFields: defaults to status for the main resource and spec for the status subresource.
    /// - Returns: `live` itself when the apply changes neither a value nor an owner.
    /// - Throws: `ApplyFailure` for conflicts and for a patch that does not fit the schema.
    package static func apply(
        patch: JSONValue, to live: JSONValue?, manager: String, force: Bool, schema: TypeSchema, apiVersion: String,
        subresource: String, now: String, resetFields: FieldSet? = nil
    ) throws(ApplyFailure) -> JSONValue {
        try check(patch, schema: schema, apiVersion: apiVersion)
        let reset = resetFields ?? defaultResetFields(subresource, schema)
        var patch = patch
        for entry in reset.entries where entry.isMember { if case .field(let name) = entry.element { patch[name] = nil } }

        let before = live ?? ["apiVersion": patch["apiVersion"] ?? "", "kind": patch["kind"] ?? "", "metadata": [:]]
        var managed: ManagedFields
        do throws(FieldsV1Error) { managed = try ManagedFields(before["metadata"]?["managedFields"]) } catch {
            throw ApplyFailure(code: 500, reason: "", message: "failed to decode managed fields: \(error.message)")
        }
        managed.reconcile(with: schema)
        let stored = managed
        let current = withoutManagedFields(before)
        if managed.isEmpty, live != nil {
            own(
                from: [:], to: current,
                name: .init(
                    manager: "before-first-apply", operation: .update, apiVersion: apiVersion, subresource: subresource),
                schema: schema, apiVersion: apiVersion, reset: reset, now: now, in: &managed)
        }

        let name = FieldManagerName(manager: manager, operation: .apply, apiVersion: apiVersion, subresource: subresource)
        let last = managed[name]
        let set = schema.fieldSet(of: patch).recursiveDifference(reset)
        var entry = ManagedFields.Entry(name: name, apiVersion: apiVersion, time: last?.time, set: set)
        managed[name] = entry

        var merged = schema.merged(current, with: patch)
        if let last, !last.set.isEmpty {
            merged = pruned(merged, lastApplied: last.set, applied: set, managed: managed, schema: schema)
        }
        let hasChanged = merged != current
        if hasChanged {
            try takeOwnership(from: current, to: merged, name: name, force: force, schema: schema, reset: reset, in: &managed) {
                subresource.isEmpty && manager == "kubectl" ? clientSideFields(of: current, schema: schema) : FieldSet()
            }
            if subresource.isEmpty, manager == "kubectl" { recordClientSide(patch, in: &merged) }
            entry.time = now
        }
        entry.set = set.difference(neverOwned)
        managed[name] = entry
        managed.removeEmpty()
        managed.capUpdates()
        if !hasChanged, let live, managed == stored { return live }
        return withManagedFields(merged, managed)
    }

    /// `new` with the `managedFields` that follow from `manager` having written it over `old` by any other verb than apply.
    ///
    /// Call it before the server sets what it sets itself (cluster IPs, generation, status on create), with defaults filled in.
    /// - Parameter old: nil on create.
    package static func update(
        from old: JSONValue?, to new: JSONValue, manager: String, schema: TypeSchema, apiVersion: String, subresource: String,
        now: String, resetFields: FieldSet? = nil
    ) -> JSONValue {
        var managed = inherited(from: old, to: new, subresource: subresource)
        managed.reconcile(with: schema)
        let target = withoutManagedFields(new)
        // An object that nobody tracks stays untracked until somebody applies it.
        if managed.isEmpty, let old, old["metadata"]?["uid"] != nil { return target }
        let reset = resetFields ?? defaultResetFields(subresource, schema)
        own(
            from: old.map(withoutManagedFields) ?? [:], to: target,
            name: .init(manager: manager, operation: .update, apiVersion: apiVersion, subresource: subresource), schema: schema,
            apiVersion: apiVersion, reset: reset, now: now, in: &managed)
        managed.capUpdates()
        return withManagedFields(target, managed)
    }

    /// `new`, or `old` when they differ in nothing but times of `managedFields` and the resource version: such a write is none.
    ///
    /// An apply that spells a value in another way (`1000m` for a stored `1`) ends up here once the value has its canonical form.
    package static func settled(_ new: JSONValue, over old: JSONValue) -> JSONValue {
        var candidate = new
        candidate["metadata"]?["resourceVersion"] = old["metadata"]?["resourceVersion"]
        candidate["metadata"]?["managedFields"] = old["metadata"]?["managedFields"]
        guard candidate == old else { return new }
        func timeless(_ object: JSONValue) -> Set<JSONValue> {
            Set(
                (object["metadata"]?["managedFields"]?.arrayValue ?? []).map { entry in
                    var entry = entry
                    entry["time"] = nil
                    return entry
                })
        }
        return timeless(new) == timeless(old) ? old : new
    }

    private static func check(_ patch: JSONValue, schema: TypeSchema, apiVersion: String) throws(ApplyFailure) {
        let version = patch["apiVersion"]?.stringValue ?? ""
        if version != apiVersion {
            throw ApplyFailure(
                code: 400, reason: "BadRequest",
                message: "Incorrect version specified in apply patch. "
                    + "Specified patch version: \(version), expected: \(apiVersion)")
        }
        if let managed = patch["metadata"]?["managedFields"], !managed.isNull {
            throw ApplyFailure(code: 400, reason: "BadRequest", message: "metadata.managedFields must be nil")
        }
        let violations = schema.violations(in: patch)
        guard let first = violations.first else { return }
        let text =
            violations.count == 1
            ? first.description : "errors:\n" + violations.map { "  \($0.description)" }.joined(separator: "\n")
        let group = apiVersion.contains("/") ? apiVersion : "/" + apiVersion
        let namespace = patch["metadata"]?["namespace"]?.stringValue ?? ""
        let name = patch["metadata"]?["name"]?.stringValue ?? ""
        throw ApplyFailure(
            code: 500, reason: "",
            message: "failed to create typed patch object "
                + "(\(namespace)/\(name); \(group), Kind=\(patch["kind"]?.stringValue ?? "")): \(text)")
    }

    /// Takes the fields that differ from everybody else.
    ///
    /// - Parameter yielded: the fields that others give up without a conflict; only asked for when there are conflicts.
    private static func takeOwnership(
        from old: JSONValue, to new: JSONValue, name: FieldManagerName, force: Bool, schema: TypeSchema, reset: FieldSet,
        in managed: inout ManagedFields, yielded: () -> FieldSet
    ) throws(ApplyFailure) {
        guard managed.entries.contains(where: { $0.name != name }) else { return }
        let comparison = schema.comparison(from: old, to: new).excluding(reset)
        let written = comparison.written
        var conflicts: [(manager: FieldManagerName, fields: FieldSet)] = []
        for index in managed.entries.indices where managed.entries[index].name != name {
            let lost = managed.entries[index].set.intersection(written)
            if !lost.isEmpty { conflicts.append((managed.entries[index].name, lost)) }
            managed.entries[index].set = managed.entries[index].set.difference(lost).difference(comparison.removed)
        }
        if force || conflicts.isEmpty { return }
        let free = yielded()
        conflicts = conflicts.map { ($0.manager, $0.fields.difference(free)) }.filter { !$0.fields.isEmpty }
        if !conflicts.isEmpty { throw .conflicts(conflicts) }
    }

    /// The effect of a write on everybody's fields; the writer's own earlier fields count like those of others first.
    private static func own(
        from old: JSONValue, to new: JSONValue, name: FieldManagerName, schema: TypeSchema, apiVersion: String, reset: FieldSet,
        now: String, in managed: inout ManagedFields
    ) {
        let comparison = schema.comparison(from: old, to: new).excluding(reset)
        if comparison.isEmpty { return }
        let written = comparison.written
        let gone = written.union(comparison.removed)
        for index in managed.entries.indices { managed.entries[index].set = managed.entries[index].set.difference(gone) }
        let taken = written.difference(neverOwned)
        // Seen on the real server: scaling leaves no time on its entry, and no entry at all on a custom resource.
        let isScale = name.subresource == "scale"
        if !taken.isEmpty, !(isScale && schema.hasStatusSubresource != nil) {
            var entry = managed[name] ?? .init(name: name, apiVersion: apiVersion, time: nil, set: FieldSet())
            entry.set = entry.set.union(taken)
            entry.time = isScale ? nil : now
            managed[name] = entry
        }
        managed.removeEmpty()
    }

    /// Whose entries a write starts from: those it brings, unless it is a subresource's or brings none.
    private static func inherited(from old: JSONValue?, to new: JSONValue, subresource: String) -> ManagedFields {
        let live = old?["metadata"]?["managedFields"]
        // Entries that can't be read count as none, as on the server: the next write makes them anew.
        func readable(_ json: JSONValue?) -> ManagedFields { (try? ManagedFields(json)) ?? ManagedFields() }
        if !subresource.isEmpty { return readable(live) }
        let brought = new["metadata"]?["managedFields"]
        if let items = brought?.arrayValue, items.count == 1, items[0].objectValue?.isEmpty == true { return ManagedFields() }
        if brought == live { return readable(live) }
        let entries = readable(brought)
        return entries.isEmpty ? readable(live) : entries
    }

    /// Without what this manager applied last time, does not apply any more, and nobody else owns.
    private static func pruned(
        _ merged: JSONValue, lastApplied last: FieldSet, applied: FieldSet, managed: ManagedFields, schema: TypeSchema
    ) -> JSONValue {
        if last.difference(applied).isEmpty { return merged }  // nothing was given up
        let lastNamed = last.withNamedParents(schema)
        var owned = FieldSet()
        for entry in managed.entries { owned = owned.union(entry.set) }
        let ownedNamed = owned.withNamedParents(schema)
        if lastNamed.difference(ownedNamed).isEmpty { return merged }
        let fields = schema.fieldSet(of: merged).withNamedParents(schema)
        func remaining(_ value: JSONValue?) -> FieldSet {
            value.map { schema.fieldSet(of: $0).withNamedParents(schema) } ?? FieldSet()
        }
        // Take out all that was applied last time, put back what has an owner, then put back what was never applied.
        let bare = schema.removing(lastNamed, from: merged)
        let backed = schema.removing(fields.difference(remaining(bare).union(ownedNamed)), from: merged)
        let dangling = fields.difference(remaining(backed)).intersection(lastNamed)
        return schema.removing(dangling, from: merged) ?? merged
    }

    private static func withoutManagedFields(_ object: JSONValue) -> JSONValue {
        guard object["metadata"]?["managedFields"] != nil else { return object }
        var object = object
        object["metadata"]?["managedFields"] = nil
        return object
    }

    private static func withManagedFields(_ object: JSONValue, _ managed: ManagedFields) -> JSONValue {
        var object = object
        if let json = managed.json { object[path: "metadata", "managedFields"] = json }
        return object
    }
}
