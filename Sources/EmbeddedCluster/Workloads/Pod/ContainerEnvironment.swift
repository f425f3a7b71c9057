import ResourceModel

/// The environment variables that a container declares (`envFrom`, then `env`), in order.
enum ContainerEnvironment {
    /// - Throws: a `CreateContainerConfigError` that names what is missing.
    static func variables(of container: JSONValue, _ sources: PodSources) throws(ContainerProblem) -> [(name: String, value: String)] {
        var names: [String] = []
        var values: [String: String] = [:]
        func set(_ name: String, _ value: String) {
            if values.updateValue(value, forKey: name) == nil { names.append(name) }
        }
        for source in container["envFrom"]?.arrayValue ?? [] {
            let prefix = source["prefix"]?.stringValue ?? ""
            for entry in try entries(of: source, sources) where entry.bytes.allSatisfy({ $0 != 0 }) {
                set(prefix + entry.key, String(decoding: entry.bytes, as: UTF8.self))
            }
        }
        for variable in container["env"]?.arrayValue ?? [] {
            let name = variable["name"]?.stringValue ?? ""
            if let reference = variable["valueFrom"]?.objectValue, !reference.isEmpty {
                if let value = try self.value(.object(reference), container, sources) { set(name, value) }
            } else {
                set(name, VariableExpansion.expanded(variable["value"]?.stringValue ?? "") { values[$0] })
            }
        }
        return names.map { ($0, values[$0] ?? "") }
    }

    private static func entries(of source: JSONValue, _ sources: PodSources) throws(ContainerProblem) -> [(key: String, bytes: [UInt8])] {
        if let reference = source["configMapRef"] {
            let name = reference["name"]?.stringValue ?? ""
            if let object = sources.configMap(name) { return PodSources.entries(ofConfigMap: object) }
            if reference["optional"]?.boolValue == true { return [] }
            throw .configuration("configmap \"\(name)\" not found")
        }
        if let reference = source["secretRef"] {
            let name = reference["name"]?.stringValue ?? ""
            if let object = sources.secret(name) { return PodSources.entries(ofSecret: object) }
            if reference["optional"]?.boolValue == true { return [] }
            throw .configuration("secret \"\(name)\" not found")
        }
        return []
    }

    /// `nil`: an optional source is missing, so the variable is not set.
    private static func value(_ from: JSONValue, _ container: JSONValue, _ sources: PodSources) throws(ContainerProblem) -> String? {
        if let path = from[path: "fieldRef", "fieldPath"]?.stringValue {
            guard let value = sources.field(path) else { throw .configuration("fieldPath \"\(path)\" is not supported") }
            return value
        }
        if let reference = from["resourceFieldRef"] {
            guard let value = sources.resource(reference, container: container) else {
                throw .configuration("resource \"\(reference["resource"]?.stringValue ?? "")\" is not supported")
            }
            return value
        }
        for (key, kind, find, entries) in [
            ("configMapKeyRef", "ConfigMap", sources.configMap, PodSources.entries(ofConfigMap:)),
            ("secretKeyRef", "Secret", sources.secret, PodSources.entries(ofSecret:)),
        ] {
            guard let reference = from[key] else { continue }
            let isOptional = reference["optional"]?.boolValue ?? false
            let name = reference["name"]?.stringValue ?? ""
            guard let object = find(name) else {
                if isOptional { return nil }
                throw .configuration("\(kind.lowercased()) \"\(name)\" not found")
            }
            let entry = reference["key"]?.stringValue ?? ""
            guard let found = entries(object).first(where: { $0.key == entry }) else {
                if isOptional { return nil }
                throw .configuration("couldn't find key \(entry) in \(kind) \(sources.pod.objectNamespace)/\(name)")
            }
            return String(decoding: found.bytes, as: UTF8.self)
        }
        throw .configuration("valueFrom names no source that the embedded cluster knows")
    }
}
