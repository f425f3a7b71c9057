import Crypto
import ResourceModel

/// An application's inventory in the cluster: an ApplySet (KEP-3659, https://kep.k8s.io/3659).
///
/// A parent ConfigMap says which kinds and namespaces to look into; every member carries the `part-of` label. Any machine with
/// access to the cluster can read it, so an empty state directory loses nothing.
package struct ApplySet: Sendable, Hashable {
    package static let idLabel = "applyset.kubernetes.io/id"
    package static let partOfLabel = "applyset.kubernetes.io/part-of"
    package static let toolingAnnotation = "applyset.kubernetes.io/tooling"
    package static let groupKindsAnnotation = "applyset.kubernetes.io/contains-group-kinds"
    package static let namespacesAnnotation = "applyset.kubernetes.io/additional-namespaces"
    package static let tooling = "reconciler/v1"
    /// Where the parents of all applications live.
    package static let namespace = "reconciler-system"
    package static let applicationLabel = "reconciler.dev/application"
    /// On the parent: the digest of the hooks that completed last.
    package static let completedHooksAnnotation = "reconciler.dev/completed-hooks"
    /// On the parent: the digest of the PreDelete hooks that ran in a deletion which did not end.
    package static let completedPreDeleteAnnotation = "reconciler.dev/completed-pre-delete"

    package let application: String

    package let parent: ResourceID
    /// `applyset-<base64url(sha256("<name>.<namespace>.<kind>.<group>"))>-v1`, as the KEP defines it.
    package let id: String

    package init(application: String) {
        self.application = application
        parent = ResourceID(group: "", kind: "ConfigMap", namespace: Self.namespace, name: "application-\(application)")
        let text = "\(parent.name).\(Self.namespace).\(parent.kind).\(parent.group)"
        id = "applyset-\(base64URL(Array(SHA256.hash(data: Array(text.utf8)))))-v1"
    }

    /// The parent object that promises to contain no more than these kinds and namespaces.
    package func parentObject(
        groupKinds: Set<GroupKind>, namespaces: Set<String>, completedHooks: String? = nil, completedPreDelete: String? = nil
    ) -> JSONValue {
        var object = plainParentObject(groupKinds: groupKinds, namespaces: namespaces)
        if let completedHooks { object[path: "metadata", "annotations", Self.completedHooksAnnotation] = .string(completedHooks) }
        if let completedPreDelete { object[path: "metadata", "annotations", Self.completedPreDeleteAnnotation] = .string(completedPreDelete) }
        return object
    }

    private func plainParentObject(groupKinds: Set<GroupKind>, namespaces: Set<String>) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": [
                "name": .string(parent.name), "namespace": .string(Self.namespace),
                "labels": [Self.idLabel: .string(id), Self.applicationLabel: .string(application)],
                "annotations": [
                    Self.toolingAnnotation: .string(Self.tooling),
                    Self.groupKindsAnnotation: .string(groupKinds.sorted().map(\.description).joined(separator: ",")),
                    Self.namespacesAnnotation: .string(namespaces.sorted().joined(separator: ",")),
                ],
            ],
        ]
    }

    /// What a parent object promises.
    ///
    /// - Throws: `Problem` when the object is another tool's, or its annotations cannot be read: then nothing may be pruned.
    package func promise(of parentObject: JSONValue) throws(Problem) -> Promise {
        let metadata = parentObject["metadata"]
        let annotations = metadata?["annotations"]
        guard metadata?[path: "labels", Self.idLabel]?.stringValue == id,
            let tooling = annotations?[Self.toolingAnnotation]?.stringValue, tooling.hasPrefix("reconciler/"),
            let kinds = annotations?[Self.groupKindsAnnotation]?.stringValue
        else {
            throw Problem(
                code: "inventory.unreadable",
                message: "the inventory's labels or annotations are missing or another tool's; without them it is unknown what may be pruned",
                resource: parent,
                hint: "restore its labels and annotations, or delete the ConfigMap: the next sync writes it anew and prunes nothing that it did not label")
        }
        let groupKinds = kinds.split(separator: ",").map { text in
            let parts = text.split(separator: ".", maxSplits: 1)
            return GroupKind(group: parts.count == 2 ? String(parts[1]) : "", kind: String(parts[0]))
        }
        let namespaces = annotations?[Self.namespacesAnnotation]?.stringValue ?? ""
        return Promise(
            groupKinds: Set(groupKinds), namespaces: Set(namespaces.split(separator: ",").map(String.init)),
            completedHooks: annotations?[Self.completedHooksAnnotation]?.stringValue,
            completedPreDelete: annotations?[Self.completedPreDeleteAnnotation]?.stringValue)
    }

    /// What the parent object says of the members, and of what was done with them.
    package struct Promise: Sendable, Hashable {
        package var groupKinds: Set<GroupKind>
        package var namespaces: Set<String>
        package var completedHooks: String?
        package var completedPreDelete: String?
    }
}

private func base64URL(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".unicodeScalars)
    var text = String.UnicodeScalarView()
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let chunk = bytes[start..<min(start + 3, bytes.count)]
        var word = 0
        for index in 0..<3 { word = word << 8 | (start + index < bytes.count ? Int(bytes[start + index]) : 0) }
        for digit in 0...chunk.count { text.append(alphabet[word >> (18 - 6 * digit) & 63]) }
    }
    return String(text)
}
