import ResourceModel

/// Defaults and validation of CustomResourceDefinitions themselves (apiextensions.k8s.io/v1).
package enum DefinitionRules {
    /// The definition with names, list kind and conversion filled in.
    package static func defaulted(_ definition: JSONValue) -> JSONValue {
        guard definition["spec"]?.objectValue != nil else { return definition }
        var definition = definition
        if let kind = definition[path: "spec", "names", "kind"]?.stringValue, !kind.isEmpty {
            if (definition[path: "spec", "names", "singular"]?.stringValue ?? "").isEmpty {
                definition[path: "spec", "names", "singular"] = .string(kind.lowercased())
            }
            if (definition[path: "spec", "names", "listKind"]?.stringValue ?? "").isEmpty {
                definition[path: "spec", "names", "listKind"] = .string(kind + "List")
            }
        }
        if definition["spec"]?["conversion"] == nil { definition["spec"]?["conversion"] = ["strategy": "None"] }
        return definition
    }

    /// The status that a new definition starts with, whatever its author wrote.
    package static func preparedForCreate(_ definition: JSONValue) -> JSONValue {
        var definition = definition
        let stored = versions(of: definition).filter { $0["storage"]?.boolValue == true }.compactMap { $0["name"] }
        definition["status"] = [
            "conditions": nil, "acceptedNames": ["plural": "", "kind": ""], "storedVersions": .array(stored),
        ]
        return definition
    }

    /// A changed definition with its status kept, and its storage version among the stored ones.
    package static func preparedForUpdate(_ definition: JSONValue, old: JSONValue) -> JSONValue {
        var definition = definition
        definition["status"] = old["status"]
        var stored = old["status"]?["storedVersions"]?.arrayValue ?? []
        for version in versions(of: definition) where version["storage"]?.boolValue == true {
            if let name = version["name"], !stored.contains(name) { stored.append(name) }
        }
        if !stored.isEmpty { definition[path: "status", "storedVersions"] = .array(stored) }
        return definition
    }

    /// Everything that is wrong with a definition; `old` adds what may not change.
    package static func validated(_ definition: JSONValue, old: JSONValue?) -> [FieldCause] {
        var causes: [FieldCause] = []
        let spec = definition["spec"] ?? [:]
        let name = definition["metadata"]?["name"]?.stringValue ?? ""
        let plural = spec["names"]?["plural"]?.stringValue ?? ""
        let group = spec["group"]?.stringValue ?? ""
        if name != "\(plural).\(group)" {
            causes.append(.invalid("metadata.name", .string(name), "must be spec.names.plural+\".\"+spec.group"))
        }
        validateGroup(group, &causes)
        switch spec["scope"]?.stringValue ?? "" {
        case "": causes.append(.required("spec.scope"))
        case "Cluster", "Namespaced": break
        case let other: causes.append(.notSupported("spec.scope", .string(other), ["Cluster", "Namespaced"]))
        }
        validateVersions(spec, &causes)
        if spec["preserveUnknownFields"]?.boolValue == true {
            causes.append(.invalid("spec.preserveUnknownFields", true, "must be false"))
        }
        validateNames(spec["names"] ?? [:], &causes)
        let strategy = spec["conversion"]?["strategy"]?.stringValue ?? ""
        if strategy == "Webhook" {
            if spec["conversion"]?["webhook"] == nil {
                causes.append(.required("spec.conversion.webhook", "required when strategy is set to Webhook"))
            }
        } else if !strategy.isEmpty, strategy != "None" {
            causes.append(.notSupported("spec.conversion.strategy", .string(strategy), ["None", "Webhook"]))
        }
        if let old { validateUpdate(definition, old, &causes) }
        return causes
    }

    private static func versions(of definition: JSONValue) -> [JSONValue] {
        definition["spec"]?["versions"]?.arrayValue ?? []
    }

    private static func validateGroup(_ group: String, _ causes: inout [FieldCause]) {
        if group.isEmpty {
            causes.append(.required("spec.group"))
        } else if PatternCache.matches(group, "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$") != true {
            causes.append(.invalid("spec.group", .string(group), "a lowercase RFC 1123 subdomain is required"))
        } else if !group.contains(".") {
            causes.append(.invalid("spec.group", .string(group), "should be a domain with at least one dot"))
        }
    }

    private static func isLabel(_ text: String) -> Bool {
        text.utf8.count <= 63 && PatternCache.matches(text, "^[a-z]([-a-z0-9]*[a-z0-9])?$") == true
    }

    private static let labelRule =
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
        + "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
        + "'[a-z]([-a-z0-9]*[a-z0-9])?')"

    private static func validateNames(_ names: JSONValue, _ causes: inout [FieldCause]) {
        for name in ["plural", "singular", "kind", "listKind"] {
            let value = names[name]?.stringValue ?? ""
            let label = name.lowercased().hasSuffix("kind") ? value.lowercased() : value
            if value.isEmpty {
                causes.append(.required("spec.names.\(name)"))
            } else if !isLabel(label) {
                causes.append(.invalid("spec.names.\(name)", .string(value), labelRule))
            }
        }
        for list in ["shortNames", "categories"] {
            for (index, item) in (names[list]?.arrayValue ?? []).enumerated() where !isLabel(item.stringValue ?? "") {
                causes.append(.invalid("spec.names.\(list)[\(index)]", item, labelRule))
            }
        }
        if let kind = names["kind"], kind == names["listKind"] {
            causes.append(.invalid("spec.names.listKind", kind, "kind and listKind may not be the same"))
        }
    }

    private static func validateVersions(_ spec: JSONValue, _ causes: inout [FieldCause]) {
        let versions = spec["versions"]?.arrayValue ?? []
        var names: Set<String> = []
        var isUnique = true
        for (index, version) in versions.enumerated() {
            let path = "spec.versions[\(index)]"
            let name = version["name"]?.stringValue ?? ""
            if !names.insert(name).inserted { isUnique = false }
            if !isLabel(name) { causes.append(.invalid("\(path).name", .string(name), labelRule)) }
            if let schema = version["schema"]?["openAPIV3Schema"], schema.objectValue != nil {
                causes += DefinitionSchemaRules.causes(in: schema, path: "\(path).schema.openAPIV3Schema")
            } else {
                causes.append(.required("\(path).schema.openAPIV3Schema"))
            }
            validateScale(version["subresources"]?["scale"], "\(path).subresources.scale", &causes)
            validateColumns(version["additionalPrinterColumns"], "\(path).additionalPrinterColumns", &causes)
        }
        if !isUnique { causes.append(.invalid("spec.versions", .array(versions), "must contain unique version names")) }
        if versions.count(where: { $0["storage"]?.boolValue == true }) != 1 {
            causes.append(
                .invalid("spec.versions", .array(versions), "must have exactly one version marked as storage version"))
        }
    }

    private static func validateScale(_ scale: JSONValue?, _ path: String, _ causes: inout [FieldCause]) {
        guard let scale, !scale.isNull else { return }
        for (field, root) in [("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")] {
            let value = scale[field]?.stringValue ?? ""
            if value.isEmpty {
                causes.append(.required("\(path).\(field)"))
            } else if !value.hasPrefix(root) {
                causes.append(.invalid("\(path).\(field)", .string(value), "should be a json path under \(root.dropLast())"))
            }
        }
    }

    private static func validateColumns(_ columns: JSONValue?, _ path: String, _ causes: inout [FieldCause]) {
        for (index, column) in (columns?.arrayValue ?? []).enumerated() {
            for field in ["name", "type", "jsonPath"] where (column[field]?.stringValue ?? "").isEmpty {
                causes.append(.required("\(path)[\(index)].\(field)"))
            }
            if let type = column["type"]?.stringValue, !type.isEmpty,
                !["boolean", "date", "integer", "number", "string"].contains(type)
            {
                causes.append(
                    .invalid("\(path)[\(index)].type", .string(type), "must be one of boolean,date,integer,number,string"))
            }
        }
    }

    private static func validateUpdate(_ new: JSONValue, _ old: JSONValue, _ causes: inout [FieldCause]) {
        let isEstablished = (old["status"]?["conditions"]?.arrayValue ?? []).contains {
            $0["type"] == "Established" && $0["status"] == "True"
        }
        var fixed: [[String]] = [["spec", "group"], ["spec", "names", "plural"]]
        if isEstablished { fixed += [["spec", "scope"], ["spec", "names", "kind"]] }
        for path in fixed where new[path: path] != old[path: path] {
            causes.append(.invalid(path.joined(separator: "."), new[path: path] ?? .null, "field is immutable"))
        }
        let names = versions(of: new).map { $0["name"] }
        for (index, stored) in (new["status"]?["storedVersions"]?.arrayValue ?? []).enumerated() where !names.contains(stored) {
            causes.append(.invalid("status.storedVersions[\(index)]", stored, "must appear in spec.versions"))
        }
    }
}
