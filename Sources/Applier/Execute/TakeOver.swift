import KubernetesClient
import ResourceModel

extension LiveObject {
    /// Whose fields become ours when we apply an object for the first time: without that, a field that they wrote and that is no
    /// longer declared would stay for ever.
    private static let formerAppliers: Set<String> = ["kubectl-client-side-apply", "helm", "argocd-controller"]
    /// Names one more of them.
    private static let managerAnnotation = "argocd.argoproj.io/client-side-apply-migration-manager"

    /// The object as if its former appliers' fields were ours, as client-go's `csaupgrade` makes it; `nil` when there is nothing to
    /// take over: nobody of them owns anything, or we applied the object already.
    ///
    /// - Parameter annotations: the declared ones.
    func takenOver(annotations: JSONObject) -> LiveObject? {
        var managers = Self.formerAppliers
        if let name = annotations[Self.managerAnnotation]?.stringValue, !name.isEmpty { managers.insert(name) }
        let isFormer = { (entry: FieldOwnership.Entry) in entry.subresource.isEmpty && managers.contains(entry.manager) }
        let isOurs = { (entry: FieldOwnership.Entry) in
            entry.subresource.isEmpty && entry.manager == Applier.fieldManager && entry.operation == "Apply"
        }
        guard !ownership.entries.contains(where: isOurs), var merged = ownership.entries.first(where: isFormer) else { return nil }
        for entry in ownership.entries where isFormer(entry) { merged.fields = FieldSet.union(merged.fields, entry.fields) }
        merged.manager = Applier.fieldManager
        merged.operation = "Apply"
        var result = self
        result.ownership.entries = [merged] + ownership.entries.filter { !isFormer($0) }
        return result
    }
}

extension FieldOwnership {
    /// As `metadata.managedFields` has it.
    var managedFields: JSONValue {
        .array(
            entries.map { entry in
                var object: JSONValue = [
                    "manager": .string(entry.manager), "operation": .string(entry.operation), "apiVersion": .string(entry.apiVersion),
                    "fieldsType": "FieldsV1", "fieldsV1": entry.fields,
                ]
                if let time = entry.time { object["time"] = .string(time) }
                if !entry.subresource.isEmpty { object["subresource"] = .string(entry.subresource) }
                return object
            })
    }
}

extension FieldSet {
    /// The fields of both trees.
    static func union(_ left: JSONValue, _ right: JSONValue) -> JSONValue {
        var result = left
        for member in right.objectValue ?? [:] {
            result[member.key] = result[member.key].map { union($0, member.value) } ?? member.value
        }
        return result
    }
}

extension Applier {
    /// Makes the fields of an object's former appliers ours, before our first apply of it. Fails when the object changed since it was
    /// seen.
    ///
    /// - Returns: the object's resourceVersion after that; `nil` when nothing had to be done.
    @discardableResult
    func takeOver(_ live: LiveObject, for manifest: Manifest, as resource: APIResource, options: ExecutionOptions) async throws -> String? {
        guard options.options(of: manifest.annotations).clientSideApplyMigration ?? true,
            let taken = live.takenOver(annotations: manifest.annotations)
        else { return nil }
        return try await writeOwnership(of: taken, as: resource)
    }

    /// Makes an object's `managedFields` what the given one has. Fails when the object changed since it was seen.
    ///
    /// - Returns: the object's resourceVersion after that.
    @discardableResult
    func writeOwnership(of live: LiveObject, as resource: APIResource) async throws -> String? {
        let patch: JSONValue = [
            ["op": "replace", "path": "/metadata/managedFields", "value": live.ownership.managedFields],
            ["op": "replace", "path": "/metadata/resourceVersion", "value": .string(live.resourceVersion)],
        ]
        let written = try await client.patch(
            resource, namespace: live.id.namespace, name: live.id.name, type: .json, patch: patch,
            options: WriteOptions(fieldManager: Self.fieldManager))
        return written.object[path: "metadata", "resourceVersion"]?.stringValue
    }
}
