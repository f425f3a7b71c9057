import KubernetesClient
import ResourceModel

/// What is to become of an application's objects when it is no longer declared: its finalizers and hooks are not there to be read then.
///
/// It stands on the inventory's parent object, and only there where deletion means more than leaving the objects alone.
package struct DeletionNote: Sendable, Hashable {
    package static let annotation = "reconciler.dev/deletion"

    /// `nil`: the objects stay.
    package var cascade: Cascade?
    /// Whether PreDelete or PostDelete hooks belong to it.
    package var hasHooks: Bool
    /// Repository, branch and path in which the application was found: only whoever reads these can tell that it is gone.
    package var declaredIn: String

    package init(cascade: Cascade?, hasHooks: Bool, declaredIn: String) {
        self.cascade = cascade
        self.hasHooks = hasHooks
        self.declaredIn = declaredIn
    }

    /// Reads it from a parent object; `nil` when there is none.
    /// - Throws: a `Problem` when it can't be read: then it is not known what may be deleted.
    init?(of parentObject: JSONValue, parent: ResourceID) throws(Problem) {
        guard let text = parentObject[path: "metadata", "annotations"]?[Self.annotation]?.stringValue else { return nil }
        guard let value = try? JSONValue(parsing: Array(text.utf8)), let declaredIn = value["declaredIn"]?.stringValue,
            let cascade = Self.cascade(value["cascade"])
        else {
            throw Problem(
                code: "deletion.unreadable", message: "the annotation \(Self.annotation) can't be read, so it is not known what a deletion is to do",
                resource: parent, hint: "remove the annotation: the next sync of an application with a finalizer writes it anew")
        }
        self.init(cascade: cascade, hasHooks: value["hooks"] == true, declaredIn: declaredIn)
    }

    /// `.some(nil)` when nothing is said, `nil` when what is said is no cascade.
    private static func cascade(_ value: JSONValue?) -> Cascade?? {
        guard let text = value?.stringValue else { return .some(nil) }
        guard let cascade = Cascade(rawValue: text) else { return nil }
        return .some(cascade)
    }

    fileprivate var text: String {
        var value: JSONValue = ["declaredIn": .string(declaredIn), "hooks": .bool(hasHooks)]
        value["cascade"] = cascade.map { .string($0.rawValue) }
        return value.jsonString
    }
}

extension Applier {
    /// Writes the note, or with nil takes it away; as a field manager of its own, so that writing the inventory leaves it alone.
    /// - Throws: `APIError`, with `isNotFound` when the application has no inventory.
    package func record(deletion note: DeletionNote?, applySet: ApplySet) async throws {
        let resource = try await client.resource(for: applySet.parent.groupKind, preferring: "v1")
        let value = note.map { JSONValue.string($0.text) } ?? .null
        _ = try await client.patch(
            resource, namespace: ApplySet.namespace, name: applySet.parent.name, type: .merge,
            patch: ["metadata": ["annotations": [DeletionNote.annotation: value]]], options: WriteOptions(fieldManager: "reconciler-deletion"))
    }

    /// Every application that has an inventory in the cluster, with what is to become of it.
    /// - Throws: what could not be read or understood, whole: nothing is left out.
    package func inventories() async throws -> [String: DeletionNote?] {
        let resource = try await client.resource(for: GroupKind(group: "", kind: "ConfigMap"), preferring: "v1")
        let items = try await client.list(
            resource, namespace: ApplySet.namespace, options: ListOptions(labelSelector: ApplySet.applicationLabel)).items
        var found: [String: DeletionNote?] = [:]
        for item in items {
            guard let name = item[path: "metadata", "labels", ApplySet.applicationLabel]?.stringValue else { continue }
            let applySet = ApplySet(application: name)
            guard item[path: "metadata", "name"]?.stringValue == applySet.parent.name else { continue }
            found.updateValue(try DeletionNote(of: item, parent: applySet.parent), forKey: name)
        }
        return found
    }
}
