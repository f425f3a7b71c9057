import ResourceModel

/// The discovery answers: `/api`, `/apis`, groups, resource lists, and the aggregated form.
struct DiscoveryDocuments {
    let catalog: ResourceCatalog

    func apiVersions(server: String) -> JSONValue {
        [
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [["clientCIDR": "0.0.0.0/0", "serverAddress": .string(server)]],
        ]
    }

    func groupList() -> JSONValue {
        ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(catalog.groups.filter { $0.name != "" }.map(group))]
    }

    func group(named name: String) -> JSONValue? {
        guard let found = catalog.groups.first(where: { $0.name == name }), name != "" else { return nil }
        var object: JSONValue = ["kind": "APIGroup", "apiVersion": "v1"]
        for member in group(found).objectValue ?? [:] { object[member.key] = member.value }
        return object
    }

    private func group(_ group: ResourceCatalog.Group) -> JSONValue {
        let versions: [JSONValue] = group.versions.map {
            ["groupVersion": .string("\(group.name)/\($0.name)"), "version": .string($0.name)]
        }
        return ["name": .string(group.name), "versions": .array(versions), "preferredVersion": versions.first ?? .null]
    }

    /// `/api/v1`, `/apis/apps/v1`.
    func resourceList(group: String, version: String) -> JSONValue? {
        guard let found = catalog.groups.first(where: { $0.name == group })?.versions.first(where: { $0.name == version }) else { return nil }
        var list: JSONValue = ["kind": "APIResourceList"]
        if !group.isEmpty { list["apiVersion"] = "v1" }
        list["groupVersion"] = .string(group.isEmpty ? version : "\(group)/\(version)")
        var resources: [JSONValue] = []
        for resource in found.resources {
            var entry: JSONValue = [
                "name": .string(resource.plural), "singularName": .string(resource.singular), "namespaced": .bool(resource.isNamespaced),
                "kind": .string(resource.kind), "verbs": strings(resource.verbs),
            ]
            if !resource.shortNames.isEmpty { entry["shortNames"] = strings(resource.shortNames) }
            if !resource.categories.isEmpty { entry["categories"] = strings(resource.categories) }
            if let hash = resource.storageVersionHash { entry["storageVersionHash"] = .string(hash) }
            resources.append(entry)
            for subresource in resource.subresources {
                var entry: JSONValue = [
                    "name": .string("\(resource.plural)/\(subresource.name)"), "singularName": "",
                    "namespaced": .bool(resource.isNamespaced),
                ]
                if !subresource.group.isEmpty {
                    entry["group"] = .string(subresource.group)
                    entry["version"] = .string(subresource.version)
                }
                entry["kind"] = .string(subresource.kind)
                entry["verbs"] = strings(subresource.verbs)
                resources.append(entry)
            }
        }
        list["resources"] = .array(resources)
        return list
    }

    /// `apidiscovery.k8s.io/v2` (or `v2beta1`) of the core group (`/api`) or of all others (`/apis`).
    func aggregated(core: Bool, version: String) -> JSONValue {
        let groups = catalog.groups.filter { ($0.name == "") == core }
        return [
            "kind": "APIGroupDiscoveryList", "apiVersion": .string("apidiscovery.k8s.io/\(version)"), "metadata": [:],
            "items": .array(groups.map(aggregated)),
        ]
    }

    private func aggregated(_ group: ResourceCatalog.Group) -> JSONValue {
        let versions: [JSONValue] = group.versions.map { version in
            let resources: [JSONValue] = version.resources.map { resource in
                let isCustom = resource.custom != nil
                func responseKind(_ group: String, _ version: String, _ kind: String) -> JSONValue {
                    ["group": .string(group), "version": .string(version), "kind": .string(kind)]
                }
                var entry: JSONValue = [
                    "resource": .string(resource.plural),
                    "responseKind": isCustom
                        ? responseKind(resource.group, resource.version, resource.kind) : responseKind("", "", resource.kind),
                    "scope": resource.isNamespaced ? "Namespaced" : "Cluster", "singularResource": .string(resource.singular),
                    "verbs": strings(resource.verbs),
                ]
                if !resource.shortNames.isEmpty { entry["shortNames"] = strings(resource.shortNames) }
                if !resource.categories.isEmpty { entry["categories"] = strings(resource.categories) }
                if !resource.subresources.isEmpty {
                    entry["subresources"] = .array(
                        resource.subresources.map { subresource in
                            let own = subresource.group.isEmpty && isCustom
                            return [
                                "subresource": .string(subresource.name),
                                "responseKind": responseKind(
                                    own ? resource.group : subresource.group, own ? resource.version : subresource.version,
                                    subresource.kind),
                                "verbs": strings(subresource.verbs),
                            ]
                        })
                }
                return entry
            }
            return ["version": .string(version.name), "resources": .array(resources), "freshness": "Current"]
        }
        return ["metadata": group.name.isEmpty ? [:] : ["name": .string(group.name)], "versions": .array(versions)]
    }

    private func strings(_ values: [String]) -> JSONValue { .array(values.map(JSONValue.string)) }
}
