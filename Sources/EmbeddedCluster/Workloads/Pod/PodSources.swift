import Glibc
import ResourceModel

/// What a pod's environment and volumes are made of: the pod, its address, and the ConfigMaps and Secrets of its namespace.
struct PodSources: Sendable {
    var pod: JSONValue
    var podIP: String
    var hostIP: String
    /// `nil`: there is no such object.
    var configMap: @Sendable (String) -> JSONValue?
    var secret: @Sendable (String) -> JSONValue?

    /// The value of a `fieldRef` path; `nil` when the path is not supported.
    func field(_ path: String) -> String? {
        switch path {
        case "metadata.name": return pod.objectName
        case "metadata.namespace": return pod.objectNamespace
        case "metadata.uid": return pod.objectUID
        case "metadata.labels": return Self.lines(pod.objectLabels)
        case "metadata.annotations": return Self.lines(pod.objectAnnotations)
        case "spec.nodeName": return pod[path: "spec", "nodeName"]?.stringValue ?? ""
        case "spec.serviceAccountName": return pod[path: "spec", "serviceAccountName"]?.stringValue ?? "default"
        case "status.podIP", "status.podIPs": return podIP
        case "status.hostIP", "status.hostIPs": return hostIP
        default: break
        }
        for (prefix, map) in [("metadata.labels['", pod.objectLabels), ("metadata.annotations['", pod.objectAnnotations)]
        where path.hasPrefix(prefix) && path.hasSuffix("']") {
            return map[String(path.dropFirst(prefix.count).dropLast(2))]?.stringValue ?? ""
        }
        return nil
    }

    private static func lines(_ map: JSONObject) -> String {
        map.sorted { $0.key < $1.key }.map { "\($0.key)=\(JSONValue.string($0.value.stringValue ?? "").jsonString)" }.joined(separator: "\n")
    }

    /// The value of a `resourceFieldRef`, rounded up to a multiple of its divisor; without a limit the machine's capacity counts.
    func resource(_ reference: JSONValue, container: JSONValue) -> String? {
        var container = container
        if let name = reference["containerName"]?.stringValue {
            guard let named = (pod[path: "spec", "containers"]?.arrayValue ?? []).first(where: { $0["name"]?.stringValue == name })
            else { return nil }
            container = named
        }
        let parts = (reference["resource"]?.stringValue ?? "").split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2, ["limits", "requests"].contains(parts[0]) else { return nil }
        let declared = container[path: "resources", parts[0], parts[1]]
        var amount = declared.flatMap(Self.number)
        if amount == nil, parts[0] == "limits" {
            if parts[1] == "cpu" { amount = Double(sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
            if parts[1] == "memory" { amount = Double(sysconf(Int32(_SC_PHYS_PAGES))) * Double(sysconf(Int32(_SC_PAGESIZE))) }
        }
        let divisor = reference["divisor"].flatMap(Self.number) ?? 1
        return String(Int64(((amount ?? 0) / (divisor > 0 ? divisor : 1)).rounded(.up)))
    }

    private static func number(_ value: JSONValue) -> Double? { value.doubleValue ?? value.stringValue.flatMap(ResourceAmount.value) }

    /// A ConfigMap's entries as bytes, `data` and `binaryData`.
    static func entries(ofConfigMap object: JSONValue) -> [(key: String, bytes: [UInt8])] {
        (object["data"]?.objectValue ?? [:]).map { ($0.key, Array(($0.value.stringValue ?? "").utf8)) }
            + (object["binaryData"]?.objectValue ?? [:]).map { ($0.key, Base64.decode($0.value.stringValue ?? "") ?? []) }
    }

    static func entries(ofSecret object: JSONValue) -> [(key: String, bytes: [UInt8])] {
        (object["data"]?.objectValue ?? [:]).map { ($0.key, Base64.decode($0.value.stringValue ?? "") ?? []) }
    }
}
