import Applier
import Desired
import ResourceModel

/// What differs in one application, ready to be shown in any form.
struct ApplicationDifference {
    var application: String
    /// What stands on the left: `live`, or a revision.
    var old: String
    /// What stands on the right: `git`, or a revision.
    var new: String
    /// The commit that the right side is at.
    var revision: Revision?
    var objects: [ObjectDifference]
    /// Objects that are the same.
    var unchanged: Int
    /// Whether any of it makes the application OutOfSync.
    var isDifferent: Bool
}

/// What differs in one object.
struct ObjectDifference {
    var change: Change
    var fields: [FieldDifference]
    /// The whole object on both sides, as far as it is declared or ours, secrets masked.
    var before: JSONValue?
    var after: JSONValue?

    var id: ResourceID { change.id }
    /// Why it is left alone.
    var reason: String? { if case .skip(let reason) = change.action { sentence(reason) } else { nil } }

    /// - Parameter places: where fields are declared, by their paths.
    init(_ change: Change, documents: (before: JSONValue?, after: JSONValue?)? = nil, places: [String: DeclaredPlace] = [:]) {
        self.change = change
        fields = change.fields.map { field in
            let place = places[field.path]
            return FieldDifference(field, owner: change.live.flatMap { owner(of: field.path, $0) }, place: place?.precision == .field ? place?.location : nil)
        }
        let documents = documents ?? change.documents
        before = documents.before.map { masked($0, change.id) }
        after = documents.after.map { masked($0, change.id) }
    }
}

/// One field that differs.
struct FieldDifference {
    var change: FieldChange
    /// Who wrote the live value; `nil` where there is none, or nobody says.
    var owner: FieldOwnership.Entry?
    /// The line that declares it.
    var place: SourceLocation?

    init(_ change: FieldChange, owner: FieldOwnership.Entry? = nil, place: SourceLocation? = nil) {
        self.change = change
        self.owner = owner
        self.place = place
    }

    var before: String { shown(change.before, secret: change.isSecret) }
    var after: String { shown(change.after, secret: change.isSecret) }
}

/// The owner of a live field: somebody else rather than us, where both do.
private func owner(of path: String, _ live: LiveObject) -> FieldOwnership.Entry? {
    live.ownership.owner(of: path, otherThan: Applier.fieldManager) ?? live.ownership.owner(of: path, otherThan: "")
}

/// An object with a Secret's values as digests. A Secret that `kubectl apply` wrote has its values in an annotation too.
func masked(_ body: JSONValue, _ id: ResourceID) -> JSONValue {
    guard id.groupKind == GroupKind(group: "", kind: "Secret") else { return body }
    var result = body
    for map in ["data", "stringData"] {
        guard let members = body[map]?.objectValue else { continue }
        result[map] = .object(JSONObject(members.map { .init(key: $0.key, value: .string(shown($0.value, secret: true))) }))
    }
    if let members = body[path: "metadata", "annotations"]?.objectValue {
        result[path: "metadata", "annotations"] = .object(
            JSONObject(members.map { .init(key: $0.key, value: .string(shown($0.value, secret: true))) }))
    }
    return result
}

/// How long ago, in words: `just now`, `5m ago`, `3d ago`; `nil` for a time that nobody can read.
func age(_ timestamp: String?, now: Double = Clocks.now()) -> String? {
    guard let time = timestamp.flatMap(Clocks.seconds(parsing:)) else { return nil }
    let seconds = Int(max(0, now - time))
    switch seconds {
    case ..<5: return "just now"
    case ..<120: return "\(seconds)s ago"
    case ..<7200: return "\(seconds / 60)m ago"
    case ..<172_800: return "\(seconds / 3600)h ago"
    default: return "\(seconds / 86400)d ago"
    }
}
