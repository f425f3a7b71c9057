import ResourceModel

/// A field selector: `metadata.name=a,status.phase!=Running`.
struct FieldSelector: Sendable, Hashable {
    struct Requirement: Sendable, Hashable {
        var path: String
        var isEqual: Bool
        var value: String
    }

    var requirements: [Requirement] = []

    /// - Throws: `APIStatus` 400 for a field that the resource can't select by.
    init(parsing text: String, for resource: ResourceType) throws(APIStatus) {
        let known = Self.fields(of: resource)
        for term in text.split(separator: ",") {
            let requirement: Requirement
            if let range = Self.range(of: "!=", in: term) {
                requirement = Requirement(path: String(term[..<range.lowerBound]), isEqual: false, value: String(term[range.upperBound...]))
            } else if let range = Self.range(of: "==", in: term) ?? Self.range(of: "=", in: term) {
                requirement = Requirement(path: String(term[..<range.lowerBound]), isEqual: true, value: String(term[range.upperBound...]))
            } else {
                throw .badRequest("invalid selector: '\(text)'; can't understand '\(term)'")
            }
            guard known.contains(requirement.path) else {
                if resource.custom != nil || known.count == 2 {
                    throw .badRequest(
                        resource.custom != nil
                            ? "field label not supported: \(requirement.path)"
                            : "\"\(requirement.path)\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
                }
                throw .badRequest("field label not supported: \(requirement.path)")
            }
            requirements.append(requirement)
        }
    }

    func matches(_ object: JSONValue) -> Bool {
        requirements.allSatisfy { requirement in
            let value = Self.value(requirement.path, in: object)
            return (value == requirement.value) == requirement.isEqual
        }
    }

    /// The name that only one object can have, when the selector asks for one.
    var name: String? { requirements.first { $0.path == "metadata.name" && $0.isEqual }?.value }

    private static func value(_ path: String, in object: JSONValue) -> String {
        switch object[path: path.split(separator: ".").map(String.init)] {
        case .string(let text): text
        case .integer(let number): String(number)
        case .bool(let flag): String(flag)
        case .number(let literal): literal
        default: path == "spec.unschedulable" || path == "spec.hostNetwork" ? "false" : path == "status.successful" ? "0" : ""
        }
    }

    private static func range(of text: String, in term: Substring) -> Range<Substring.Index>? {
        var index = term.startIndex
        while index < term.endIndex {
            if term[index...].hasPrefix(text) { return index..<term.index(index, offsetBy: text.count) }
            index = term.index(after: index)
        }
        return nil
    }

    private static func fields(of resource: ResourceType) -> Set<String> {
        var fields: Set<String> = ["metadata.name", "metadata.namespace"]
        if let custom = resource.custom {
            fields.formUnion(custom.selectableFields.map { String($0.drop { $0 == "." }) })
        }
        switch resource.storageKey {
        case "/pods":
            fields.formUnion([
                "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
                "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
            ])
        case "/nodes": fields.insert("spec.unschedulable")
        case "/namespaces": fields.insert("status.phase")
        case "/secrets": fields.insert("type")
        case "/services": fields.formUnion(["spec.clusterIP", "spec.type"])
        case "/replicationcontrollers", "apps/replicasets": fields.insert("status.replicas")
        case "batch/jobs": fields.insert("status.successful")
        case "certificates.k8s.io/certificatesigningrequests": fields.insert("spec.signerName")
        case "/events":
            fields.formUnion([
                "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
                "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
                "reportingComponent", "source", "type",
            ])
        default: break
        }
        return fields
    }
}
