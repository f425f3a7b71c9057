import ResourceModel

/// What holds for every object's `metadata`, custom resources included.
package enum ObjectMetaRules {
    /// How a kind's objects may be named.
    package enum NameForm: Sendable {
        case subdomain, label, label1035, pathSegment
    }

    package static let annotationsLimit = 256 * 1024

    static func problems(_ name: String, _ form: NameForm) -> [String] {
        switch form {
        case .subdomain: Names.dnsSubdomain(name)
        case .label: Names.dnsLabel(name)
        case .label1035: Names.dns1035Label(name)
        case .pathSegment: Names.pathSegment(name)
        }
    }

    /// A new object's metadata.
    ///
    /// - Parameter isNamespaced: `nil` leaves the namespace unchecked.
    package static func validateCreate(_ object: JSONValue, nameForm: NameForm = .subdomain, isNamespaced: Bool? = nil) -> [FieldCause] {
        let metadata = object["metadata"] ?? [:]
        let path = FieldPath("metadata")
        var validator = Validator()
        let generateName = metadata.text("generateName")
        if !generateName.isEmpty {
            let probe = generateName.hasSuffix("-") && nameForm != .pathSegment ? String(generateName.dropLast()) + "a" : generateName
            validator.format(path["generateName"], .string(generateName), problems(probe, nameForm))
        }
        let name = metadata.text("name")
        if name.isEmpty {
            validator.required(path["name"], "name or generateName is required")
        } else {
            validator.format(path["name"], .string(name), problems(name, nameForm))
        }
        if let isNamespaced {
            let namespace = metadata.text("namespace")
            if isNamespaced {
                if namespace.isEmpty { validator.required(path["namespace"]) } else {
                    validator.format(path["namespace"], .string(namespace), Names.dnsLabel(namespace))
                }
            } else if !namespace.isEmpty {
                validator.forbidden(path["namespace"], "not allowed on this type")
            }
        }
        common(metadata, path, &validator)
        return validator.causes
    }

    /// Metadata that replaces other metadata. The API server checks some fields twice, and so do these causes.
    package static func validateUpdate(_ new: JSONValue, _ old: JSONValue) -> [FieldCause] {
        let metadata = new["metadata"] ?? [:]
        let before = old["metadata"] ?? [:]
        let path = FieldPath("metadata")
        var validator = Validator()
        finalizersWhileDeleted(metadata, before, path, &validator)
        for name in ["name", "namespace", "uid"] { validator.immutable(path[name], metadata[name], before[name]) }
        for name in ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] where metadata[name] != nil {
            validator.immutable(path[name], metadata[name], before[name])
        }
        if metadata.number("generation") < before.number("generation") {
            validator.invalid(path["generation"], metadata["generation"], "must not be decremented")
        }
        common(metadata, path, &validator)
        return validator.causes
    }

    private static func finalizersWhileDeleted(
        _ metadata: JSONValue, _ before: JSONValue, _ path: FieldPath, _ validator: inout Validator
    ) {
        guard before["deletionTimestamp"] != nil else { return }
        let old = Set(before.items("finalizers").compactMap(\.stringValue))
        let added = metadata.items("finalizers").compactMap(\.stringValue).filter { !old.contains($0) }
        if !added.isEmpty {
            let list = added.map { JSONValue.string($0).jsonString }.joined(separator: ", ")
            validator.forbidden(
                path["finalizers"],
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{\(list)}")
        }
    }

    private static func common(_ metadata: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        validator.nonNegative(path["generation"], metadata["generation"])
        labels(metadata, path["labels"], &validator)
        annotations(metadata, path["annotations"], &validator)
        ownerReferences(metadata, path["ownerReferences"], &validator)
        for (index, finalizer) in metadata.items("finalizers").enumerated() {
            let text = finalizer.stringValue ?? ""
            validator.format(path["finalizers"], finalizer, Names.qualifiedName(text))
            let standard = ["orphan", "foregroundDeletion", "kubernetes"]
            if !text.contains("/"), !standard.contains(text), Names.qualifiedName(text).isEmpty {
                validator.invalid(path["finalizers"][index], finalizer, "name is neither a standard finalizer name nor is it fully qualified")
            }
        }
        let finalizers = metadata.items("finalizers")
        if finalizers.contains("orphan"), finalizers.contains("foregroundDeletion") {
            validator.invalid(
                path["finalizers"], metadata["finalizers"],
                "finalizer orphan and foregroundDeletion cannot be both set")
        }
    }

    /// `labels` of an object or a pod template.
    static func labels(_ metadata: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        labels(map: metadata["labels"], path, &validator)
    }

    static func labels(map: JSONValue?, _ path: FieldPath, _ validator: inout Validator) {
        for member in (map?.objectValue?.members ?? []).sorted(by: { $0.key < $1.key }) {
            validator.format(path, .string(member.key), Names.qualifiedName(member.key))
            validator.format(path, member.value, Names.labelValue(member.value.stringValue ?? ""))
        }
    }

    static func annotations(_ metadata: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        var size = 0
        for member in metadata.sortedMembers("annotations") {
            validator.format(path, .string(member.key), Names.qualifiedName(member.key.lowercased()))
            size += member.key.utf8.count + (member.value.stringValue ?? "").utf8.count
        }
        if size > annotationsLimit { validator.tooLong(path, annotationsLimit) }
    }

    private static func ownerReferences(_ metadata: JSONValue, _ path: FieldPath, _ validator: inout Validator) {
        var controller: String?
        for (index, reference) in metadata.items("ownerReferences").enumerated() {
            let item = path[index]
            for name in ["apiVersion", "kind", "name", "uid"] where reference.text(name).isEmpty {
                if name == "apiVersion" { validator.invalid(item[name], "", "version must not be empty") } else {
                    validator.invalid(item[name], "", "\(name) must not be empty")
                }
            }
            if reference["controller"]?.boolValue == true {
                let text = "\(reference.text("kind")) \(reference.text("name"))"
                if let controller {
                    validator.invalid(
                        path, metadata["ownerReferences"],
                        "Only one reference can have Controller set to true. Found \"true\" in references for \(controller) and \(text)")
                } else {
                    controller = text
                }
            }
        }
    }
}
