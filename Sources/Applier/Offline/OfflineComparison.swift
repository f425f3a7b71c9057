import ResourceModel

/// Compares declared objects with live ones out of files: the comparison and the planner of a sync, with no server to ask.
///
/// - An object without our ownership in its `managedFields` is compared as if we owned what is declared, and what its
///   `kubectl.kubernetes.io/last-applied-configuration` says was declared before.
/// - Where a sync would ask the server's dry run, a value that differs only by what the server fills in or spells otherwise is no
///   difference.
package struct OfflineComparison: Sendable {
    package let desired: DesiredState
    package let live: LiveState
    package let changes: [Change]

    /// - Parameters:
    ///   - desired: its application's name is that of the live objects' tracking annotations, where they have some.
    ///   - objects: as an API server gives them; uid and resourceVersion may be missing.
    /// - Throws: a `Problem` for an object that has no name.
    package init(desired: DesiredState, live objects: [JSONValue]) throws {
        let applySet = ApplySet(application: desired.application)
        var live = LiveState()
        for body in objects {
            let object = try LiveObject(offline: body)
            live.objects[object.id] = object
            if Hook(annotations: object.annotations) == nil { live.inventory.members.insert(object.id) }
        }
        let desired = Self.resolved(desired, live)
        let hooks = Set(desired.manifests.filter { $0.hook != nil }.map(\.id))
        var changes: [Change] = []
        for manifest in desired.manifests where manifest.hook == nil {
            let intent = Intent(manifest: manifest, application: desired.application, applySet: applySet)
            changes.append(Self.change(intent, live.objects[manifest.id]))
        }
        let declared = Set(desired.manifests.map(\.id)).union(hooks)
        for id in live.inventory.members.subtracting(declared).sorted() {
            guard let object = live.objects[id], !object.isBeingDeleted else { continue }
            changes.append(Change(id: id, action: .prune, live: object))
        }
        self.desired = desired
        self.live = live
        self.changes = changes
    }

    /// The plan, with hooks as a sync has them.
    package func steps(under policy: PlanPolicy) -> Plan {
        let hooks = hookSteps(
            desired.manifests, application: desired.application, applySet: ApplySet(application: desired.application), revision: desired.revision,
            startedAt: 0)
        return plan(changes, hooks: hooks, desired: desired, inventory: live.inventory, policy: policy)
    }

    /// A kind that nobody here knows is in a namespace if the live object is.
    private static func resolved(_ desired: DesiredState, _ live: LiveState) -> DesiredState {
        var result = desired
        for (index, manifest) in desired.manifests.enumerated() {
            guard let namespace = manifest.namespaceIfNamespaced else { continue }
            var id = manifest.id
            id.namespace = namespace
            result.manifests[index] = manifest.withNamespace(resolvedTo: live.objects[id] == nil ? Optional<String>.none : namespace)
        }
        return result
    }

    private static func change(_ intent: Intent, _ object: LiveObject?) -> Change {
        let id = intent.manifest.id
        guard let object else { return Change(id: id, action: .create, manifest: intent.sent) }
        let tracksNothing = owningApplication(of: object) == nil
        let body = tracksNothing ? untracked(intent.body) : intent.body
        var compared = object.takenOver(annotations: intent.manifest.annotations) ?? object
        if !compared.ownership.entries.contains(where: { $0.manager == Applier.fieldManager && $0.operation == "Apply" }) {
            compared.ownership = FieldOwnership(entries: compared.ownership.entries + [assumed(body, object)])
        }
        let found = OwnedFieldsComparison.result(intent: body, live: compared, manager: Applier.fieldManager)
        let fields = found.fields.filter { !isFilledIn($0) }.map { field in
            var field = field
            field.manager = object.ownership.owner(of: field.path, otherThan: Applier.fieldManager)?.manager
            return field
        }
        return Change(id: id, action: fields.isEmpty ? .unchanged : .configure, fields: fields, manifest: intent.sent, live: object)
    }

    /// Without the tracking metadata: objects that nobody tracks are not different for that.
    private static func untracked(_ body: JSONValue) -> JSONValue {
        var result = body
        for (map, key) in [("labels", ApplySet.partOfLabel), ("annotations", TrackingID.annotation)] {
            result[path: "metadata", map, key] = nil
            if result[path: "metadata", map]?.objectValue?.isEmpty == true { result[path: "metadata", map] = nil }
        }
        return result
    }

    /// The ownership of an object that says nothing about ours.
    private static func assumed(_ intent: JSONValue, _ live: LiveObject) -> FieldOwnership.Entry {
        var fields = FieldSet.assumed(of: intent)
        if let text = live.annotations[lastApplied]?.stringValue, let former = try? JSONValue(parsing: text) {  // text of another kind says nothing
            fields = FieldSet.union(fields, FieldSet.assumed(of: Self.asSent(former, live)))
        }
        return FieldOwnership.Entry(
            manager: Applier.fieldManager, operation: "Apply", apiVersion: live.apiVersion, time: nil, subresource: "", fields: fields)
    }

    private static let lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

    /// In the form in which it is compared, without what identifies the object.
    private static func asSent(_ body: JSONValue, _ live: LiveObject) -> JSONValue {
        let manifest = Manifest(id: live.id, apiVersion: live.apiVersion, body: body, source: SourceLocation(path: "", line: 0))
        var result = untracked(Intent(manifest: manifest, application: "", applySet: ApplySet(application: "")).body)
        for key in ["name", "namespace"] { result[path: "metadata", key] = nil }
        return result
    }

    /// Whether the live value is the declared one with what a server fills in.
    private static func isFilledIn(_ field: FieldChange) -> Bool {
        guard let after = field.after else { return field.before.map(\.isZero) ?? true || isKey(field.path) }
        guard let before = field.before else { return after.isZero }
        return covers(after, before)
    }

    /// Whether the field is one of those that tell its item from the others, which a server fills in (a port's protocol).
    private static func isKey(_ path: String) -> Bool {
        guard let steps = FieldPath(path)?.steps, steps.count > 1, case .member(let name)? = steps.last, case .keys(let keys) = steps[steps.count - 2] else { return false }
        return keys[name] != nil
    }

    private static func covers(_ declared: JSONValue, _ live: JSONValue) -> Bool {
        switch (declared, live) {
        case (.object(let members), .object(let others)):
            return members.allSatisfy { member in
                guard !member.value.isNull else { return true }
                return others[member.key].map { covers(member.value, $0) } ?? member.value.isZero
            }
        case (.array(let items), .array(let others)): return items.count == others.count && zip(items, others).allSatisfy { covers($0, $1) }
        default:
            if declared == live || (declared.isZero && live.isZero) { return true }
            guard let left = Quantity(declared), let right = Quantity(live) else { return false }
            return left == right
        }
    }
}

extension LiveObject {
    /// An object out of a file.
    /// - Throws: a `Problem` when it has no kind or name.
    init(offline object: JSONValue) throws(Problem) {
        var complete = object
        guard let kind = object["kind"]?.stringValue, let name = object[path: "metadata", "name"]?.stringValue else {
            throw Problem(code: "live.malformed", message: "a live object has no kind or no name: \(object.jsonString.prefix(80))")
        }
        let group = GroupVersionKind(apiVersion: object["apiVersion"]?.stringValue ?? "v1", kind: kind)
        if object[path: "metadata", "uid"] == nil { complete[path: "metadata", "uid"] = .string("offline-\(kind)-\(name)") }
        if object[path: "metadata", "resourceVersion"] == nil { complete[path: "metadata", "resourceVersion"] = "0" }
        try self.init(
            complete,
            as: .init(
                group: group.group, version: group.version, kind: kind, plural: "", singular: "", shortNames: [], categories: [],
                namespaced: object[path: "metadata", "namespace"] != nil, verbs: [], subresources: []))
        body[path: "metadata", "uid"] = object[path: "metadata", "uid"]
        body[path: "metadata", "resourceVersion"] = object[path: "metadata", "resourceVersion"]
    }
}

extension FieldSet {
    /// Lists that the API server merges item by item, by their names, with the members that tell items apart.
    /// https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
    private static let mergeKeys: [String: [String]] = [
        "containers": ["name"], "initContainers": ["name"], "ephemeralContainers": ["name"], "volumes": ["name"], "env": ["name"],
        "imagePullSecrets": ["name"], "ports": ["containerPort", "port", "protocol"], "volumeMounts": ["mountPath"], "volumeDevices": ["devicePath"],
        "hostAliases": ["ip"], "topologySpreadConstraints": ["topologyKey", "whenUnsatisfiable"], "ownerReferences": ["uid"], "webhooks": ["name"],
        "secrets": ["name"], "validations": [], "schedulingGates": ["name"], "resourceClaims": ["name"],
    ]

    /// A server owns nothing of these.
    private static func isEmpty(_ value: JSONValue) -> Bool {
        value.isNull || value.objectValue?.isEmpty == true || value.arrayValue?.isEmpty == true
    }

    /// The tree in which everything in a document is owned, in the form that the server would write for built-in kinds.
    static func assumed(of document: JSONValue, named name: String = "") -> JSONValue {
        switch document {
        case .object(let members) where !members.isEmpty:
            var tree: JSONValue = [:]
            for member in members where !isEmpty(member.value) && !(name.isEmpty && ["apiVersion", "kind"].contains(member.key)) {
                tree["f:" + member.key] = assumed(of: member.value, named: member.key)
            }
            return tree
        case .array(let items):
            guard let keys = mergeKeys[name] else { return [:] }
            var tree: JSONValue = [:]
            for item in items {
                let present = keys.compactMap { key in item[key].map { JSONObject.Member(key: key, value: $0) } }
                guard !present.isEmpty else { return [:] }
                tree["k:" + JSONValue.object(JSONObject(present)).jsonString] = assumed(of: item, named: "-")
            }
            return tree
        default: return [:]
        }
    }
}
