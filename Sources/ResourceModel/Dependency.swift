/// An object that another one declares to depend on, with the annotation of kustomize and cli-utils:
/// `config.kubernetes.io/depends-on: GROUP/namespaces/NAMESPACE/KIND/NAME, GROUP/KIND/NAME` (the core group is empty).
/// https://github.com/kubernetes-sigs/cli-utils, pkg/object/dependson
package enum Dependency {
    package static let annotation = "config.kubernetes.io/depends-on"

    /// The objects that the annotations name; none without the annotation.
    /// - Throws: a `Problem` for a reference in neither form.
    package static func references(in annotations: JSONObject) throws(Problem) -> [ResourceID] {
        guard let text = annotations[annotation]?.stringValue else { return [] }
        var result: [ResourceID] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let reference = part.filter { !$0.isWhitespace }
            let fields = reference.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            if fields.count == 5, fields[1] == "namespaces", !fields[2...].contains("") {
                result.append(ResourceID(group: fields[0], kind: fields[3], namespace: fields[2], name: fields[4]))
            } else if fields.count == 3, !fields[1...].contains("") {
                result.append(ResourceID(group: fields[0], kind: fields[1], namespace: nil, name: fields[2]))
            } else {
                throw Problem(
                    code: "dependency.unreadable", message: "annotation \(annotation): `\(reference)` names no object",
                    hint: "write `GROUP/namespaces/NAMESPACE/KIND/NAME` or, for objects without a namespace, `GROUP/KIND/NAME`")
            }
        }
        return result
    }
}
