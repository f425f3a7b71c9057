import ResourceModel

/// Objects from one version of their resource to another. Custom resources only change their `apiVersion` (strategy None).
enum Conversion {
    /// The API version in which a resource's objects are stored.
    static func storedAPIVersion(_ resource: ResourceType) -> String {
        if resource.storageKey == "/events" { return "v1" }
        return resource.group.isEmpty ? resource.storageVersion : "\(resource.group)/\(resource.storageVersion)"
    }

    static func toStorage(_ object: JSONValue, of resource: ResourceType) -> JSONValue {
        convert(object, toAPIVersion: storedAPIVersion(resource))
    }

    static func convert(_ object: JSONValue, to resource: ResourceType) -> JSONValue {
        convert(object, toAPIVersion: resource.apiVersion)
    }

    private static func convert(_ object: JSONValue, toAPIVersion apiVersion: String) -> JSONValue {
        let present = object["apiVersion"]?.stringValue ?? ""
        guard present != apiVersion else { return object }
        var object = object
        switch (present, apiVersion) {
        case ("v1", "events.k8s.io/v1"): for (core, new) in eventFields { rename(core, new, in: &object) }
        case ("events.k8s.io/v1", "v1"): for (core, new) in eventFields { rename(new, core, in: &object) }
        case ("autoscaling/v1", "autoscaling/v2"):
            if let target = object[path: "spec", "targetCPUUtilizationPercentage"] {
                object[path: "spec", "targetCPUUtilizationPercentage"] = nil
                object[path: "spec", "metrics"] = [
                    ["type": "Resource", "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": target]]]
                ]
            }
        case ("autoscaling/v2", "autoscaling/v1"):
            let metrics = object[path: "spec", "metrics"]?.arrayValue ?? []
            let cpu = metrics.first { $0[path: "resource", "name"]?.stringValue == "cpu" }
            object[path: "spec", "metrics"] = nil
            if let target = cpu?[path: "resource", "target", "averageUtilization"] {
                object[path: "spec", "targetCPUUtilizationPercentage"] = target
            }
        default: break
        }
        object["apiVersion"] = .string(apiVersion)
        return object
    }

    private static let eventFields = [
        ("involvedObject", "regarding"), ("message", "note"), ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"), ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"),
        ("reportingComponent", "reportingController"),
    ]

    private static func rename(_ old: String, _ new: String, in object: inout JSONValue) {
        guard let value = object[old] else { return }
        object[old] = nil
        object[new] = value
    }
}
