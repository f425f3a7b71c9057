import KubernetesClient
import ResourceModel
import Synchronization

/// All that an application owns, as far as it takes to know whether any of it changed: uid and resourceVersion of each object, which a
/// server changes with every write. Objects of custom kinds go in as they are answered: their definition may change how an object
/// is served while its resourceVersion stays.
package struct OwnedEvidence: Sendable {
    private var parts: [String]

    /// - Parameter inventory: `uid resourceVersion` of the object that keeps the inventory.
    package init(inventory: String) { parts = ["inventory \(inventory)"] }

    /// - Parameter version: `uid resourceVersion`, or what else tells an answer from another.
    package mutating func add(_ kind: GroupKind, _ version: String) { parts.append("\(kind) \(version)") }

    package var digest: String { JSONValue.array(parts.sorted().map { .string($0) }).digest }
}

/// The objects that a run made, and that are as they were sent: a look at them would find nothing to do.
package final class MadeAsDeclared: Sendable {
    /// One of them.
    package struct Object: Sendable {
        /// `uid resourceVersion`.
        package let version: String
        /// What it is but for its status, as `OwnedTexts` has it; `nil` when that cannot be told.
        package let lasting: String?

        package init(version: String, lasting: String?) {
            self.version = version
            self.lasting = lasting
        }
    }

    private let state = Mutex<(objects: [ResourceID: Object], inventory: String?)>(([:], nil))

    package init() {}

    package var objects: [ResourceID: Object] { state.withLock { $0.objects } }

    /// `uid resourceVersion` of the object that keeps the inventory, once it was written; `nil` when it was not.
    package var inventory: String? { state.withLock { $0.inventory } }

    func note(inventory: JSONValue) {
        let version = Applier.version(of: inventory)
        state.withLock { $0.inventory = version }
    }

    func note(_ object: LiveObject, sent: JSONValue, text: [UInt8]) {
        guard object.id.groupKind.isTheServersOwn, Self.holds(object.body, sent) else { return }
        let version = "\(object.uid) \(object.resourceVersion)"
        let lasting = object.id.groupKind.hasNoStatus ? version : ObjectText(text, manager: Applier.fieldManager)?.evidence
        let made = Object(version: version, lasting: lasting)
        state.withLock { $0.objects[object.id] = made }
    }

    /// Whether every value that was sent stands there as it was sent: enough to be sure, not needed to be the same.
    static func holds(_ live: JSONValue, _ sent: JSONValue) -> Bool {
        switch (live, sent) {
        case (.object(let live), .object(let sent)):
            sent.members.indices.reduce((holds: true, next: 0)) { state, place in
                guard state.holds else { return state }
                // Servers answer in much the same order.
                guard let found = live.index(of: sent.members[place].key, expected: state.next) else {
                    return (sent.members[place].value.isNull, state.next)
                }
                return (holds(live.members[found].value, sent.members[place].value), found + 1)
            }.holds
        case (.array(let live), .array(let sent)): live.count == sent.count && zip(live, sent).allSatisfy(holds)
        default: live == sent
        }
    }
}

extension GroupKind {
    /// Whether API servers bring the kind along, so that only they decide how an object of it is served.
    package var isTheServersOwn: Bool { !group.utf8.contains(UInt8(ascii: ".")) || Self.groups.contains(group) }

    private static let groups: Set<String> = [
        "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "certificates.k8s.io", "coordination.k8s.io",
        "discovery.k8s.io", "events.k8s.io", "flowcontrol.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "rbac.authorization.k8s.io",
        "scheduling.k8s.io", "storage.k8s.io",
    ]
}

extension Applier {
    /// Of the kinds that the server serves, and where.
    package func servedKindsDigest() async throws -> String { APIResource.digest(of: try await client.apiResources()) }

    /// Of a namespace as it is; `nil` when there is none.
    package func namespaceDigest(_ name: String) async throws -> String? { try await client.get(.namespaces, namespace: nil, name: name)?.digest }
}
