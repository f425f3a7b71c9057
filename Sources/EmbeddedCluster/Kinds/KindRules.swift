import ResourceModel

/// What the API server does to objects of one built-in kind besides storing them. Pure functions over JSON.
package struct KindRules: Sendable {
    /// A column of `kubectl get`.
    package struct Column: Sendable, Hashable {
        package var name: String
        package var type: String
        package var format: String
        package var description: String
        /// 0 is always shown, 1 only with `-o wide`.
        package var priority: Int64

        package init(_ name: String, _ type: String = "string", format: String = "", description: String = "", priority: Int64 = 0) {
            self.name = name
            self.type = type
            self.format = format
            self.description = description
            self.priority = priority
        }

        /// As `columnDefinitions` of a Table carry it.
        package var json: JSONValue {
            [
                "name": .string(name), "type": .string(type), "format": .string(format), "description": .string(description),
                "priority": .integer(priority),
            ]
        }
    }

    package let kind: GroupVersionKind
    var nameForm = ObjectMetaRules.NameForm.subdomain
    package internal(set) var isNamespaced = true
    /// Whether the kind counts changes of its desired state in `metadata.generation`.
    package internal(set) var hasGeneration = false
    /// Whether the kind has a status subresource: `status` is dropped on create and kept on update of the rest.
    package internal(set) var hasStatus = false
    /// What `status` is on create.
    var initialStatus: JSONValue?

    var setDefaults: @Sendable (inout JSONValue) -> Void = { _ in }
    var beforeCreate: @Sendable (inout JSONValue) -> Void = { _ in }
    var beforeUpdate: @Sendable (inout JSONValue, JSONValue) -> Void = { _, _ in }
    /// What holds for new and for changed objects.
    var check: @Sendable (JSONValue, inout Validator) -> Void = { _, _ in }
    /// What holds for new objects only.
    var checkNew: @Sendable (JSONValue, inout Validator) -> Void = { _, _ in }
    /// What holds between an object and the one that replaces it: new, old.
    var checkChange: @Sendable (JSONValue, JSONValue, inout Validator) -> Void = { _, _, _ in }
    var findWarnings: @Sendable (JSONValue) -> [String] = { _ in [] }
    /// `nil`: Name and Age.
    var columns: [Column]?
    var cells: (@Sendable (JSONValue, Int64) -> [JSONValue])?

    init(_ apiVersion: String, _ kind: String, _ configure: (inout KindRules) -> Void = { _ in }) {
        self.kind = GroupVersionKind(apiVersion: apiVersion, kind: kind)
        configure(&self)
    }

    /// The rules of a kind; for a kind without rules of its own those that hold for every built-in kind.
    package static func rules(for kind: GroupVersionKind) -> KindRules {
        registry[kind] ?? KindRules(kind.apiVersion, kind.kind) { $0.isNamespaced = true }
    }

    /// Whether the kind has rules of its own.
    package static func hasRules(for kind: GroupVersionKind) -> Bool { registry[kind] != nil }

    private static let registry: [GroupVersionKind: KindRules] = {
        let all =
            configKinds + podKinds + workloadKinds + batchKinds + serviceKinds + networkKinds + storageKinds + accessKinds + policyKinds
            + clusterKinds
        return Dictionary(all.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })
    }()
}

extension KindRules {
    /// The object with every default filled in, in the form in which the server keeps it. Done twice it changes nothing.
    package func defaulted(_ object: JSONValue) -> JSONValue {
        var object = GoForm.normalized(object, kind: kind)
        setDefaults(&object)
        // Status fields that Go writes even when they are zero.
        if hasStatus, let initialStatus = initialStatus?.objectValue, !initialStatus.isEmpty {
            object.updateOrMake("status") { status in
                for member in initialStatus.members where status[member.key] == nil { status[member.key] = member.value }
            }
        }
        return object
    }

    /// The new object before it is validated and stored: status dropped, what the server generates filled in. Expects
    /// `metadata` with name, namespace and uid.
    package func prepareForCreate(_ object: JSONValue) -> JSONValue {
        var object = object
        if hasStatus { object["status"] = initialStatus }
        if hasGeneration { object[path: "metadata", "generation"] = 1 }
        beforeCreate(&object)
        return object
    }

    /// The object that replaces `old`, with the old status; `generation` is one more when anything but metadata and status differs.
    package func prepareForUpdate(_ new: JSONValue, _ old: JSONValue) -> JSONValue {
        var new = new
        if hasStatus { new["status"] = old["status"] }
        beforeUpdate(&new, old)
        if hasGeneration {
            let before = old[path: "metadata", "generation"]?.integerValue ?? 0
            new[path: "metadata", "generation"] = .integer(before + (specDiffers(new, old) ? 1 : 0))
        }
        return new
    }

    /// Whether anything but type, metadata and status differs.
    package func specDiffers(_ new: JSONValue, _ old: JSONValue) -> Bool {
        func rest(_ object: JSONValue) -> JSONObject {
            var object = object.objectValue ?? [:]
            object.removeAll { ["metadata", "apiVersion", "kind", "status"].contains($0.key) }
            return object
        }
        let (left, right) = (rest(new), rest(old))
        // The same amount spelled otherwise is no change.
        return left != right && GoForm.comparable(.object(left), kind: kind) != GoForm.comparable(.object(right), kind: kind)
    }

    /// The object that a write to `status` makes of `old`: its status, and of its metadata what may be written there.
    package func prepareForStatusUpdate(_ new: JSONValue, _ old: JSONValue) -> JSONValue {
        var object = old
        object["status"] = new["status"]
        for name in ["labels", "annotations", "finalizers", "ownerReferences", "managedFields", "resourceVersion"] {
            object[path: "metadata", name] = new[path: "metadata", name]
        }
        return object
    }

    /// What is wrong with a new object (defaulted and prepared).
    package func validateCreate(_ object: JSONValue) -> [FieldCause] {
        var validator = Validator()
        validator.append(ObjectMetaRules.validateCreate(object, nameForm: nameForm))
        check(object, &validator)
        checkNew(object, &validator)
        return validator.causes
    }

    /// What is wrong with an object that replaces another (both defaulted). The server checks metadata twice; so do these causes.
    package func validateUpdate(_ new: JSONValue, _ old: JSONValue) -> [FieldCause] {
        var validator = Validator()
        let metadata = ObjectMetaRules.validateUpdate(new, old)
        validator.append(metadata)
        validator.append(metadata)
        checkChange(new, old, &validator)
        // What was wrong before may stay: only what this change brings is refused.
        var before = Validator()
        check(old, &before)
        var after = Validator()
        check(new, &after)
        let known = Set(before.causes)
        let reported = Set(validator.causes.map(\.field))
        validator.append(after.causes.filter { !known.contains($0) && !reported.contains($0.field) })
        return validator.causes
    }

    /// What the server warns about without refusing it.
    package func warnings(_ object: JSONValue) -> [String] { findWarnings(object) }

    /// The text of the 422 answer: `Deployment.apps "x" is invalid: [a, b]`.
    package static func invalidMessage(kind: String, group: String, name: String, causes: [FieldCause]) -> String {
        var texts: [String] = []
        for cause in causes {
            let text = "\(cause.field): \(cause.message)"
            if !texts.contains(text) { texts.append(text) }
        }
        let type = group.isEmpty ? kind : "\(kind).\(group)"
        return "\(type) \"\(name)\" is invalid: " + (texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]")
    }

    /// The columns of `kubectl get`.
    package var tableColumns: [Column] { columns ?? [TableText.nameColumn, TableText.ageColumn] }

    /// The cells of one object, one for each column.
    ///
    /// - Parameter now: seconds since 1970-01-01 UTC.
    package func tableRow(_ object: JSONValue, now: Int64) -> [JSONValue] {
        cells?(object, now) ?? [.string(object.name), .string(TableText.age(object, now))]
    }
}
