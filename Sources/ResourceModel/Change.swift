/// One field that differs.
package struct FieldChange: Sendable, Hashable, Codable {
    /// In the notation of `kubectl explain` and FieldsV1: `.spec.template.spec.containers[name="web"].image`.
    package var path: String
    /// `nil` when the field is added.
    package var before: JSONValue?
    /// `nil` when the field is removed.
    package var after: JSONValue?
    /// The live field's owner, where the server says it.
    package var manager: String?
    /// Shown as a keyed digest, never as a value.
    package var isSecret: Bool

    package init(path: String, before: JSONValue?, after: JSONValue?, manager: String? = nil, isSecret: Bool = false) {
        self.path = path
        self.before = before
        self.after = after
        self.manager = manager
        self.isSecret = isSecret
    }
}

/// What has to happen to one object so that it is as declared.
package struct Change: Sendable, Hashable {
    package enum Action: Sendable, Hashable {
        case create
        case configure
        /// Delete and create: a field that cannot be changed, or `Replace=true,Force=true`.
        case recreate
        case prune
        /// Leave it, and take off what says that it is the application's: the application goes without it.
        case release
        case unchanged
        case skip(SkipReason)
    }

    private struct Members: Sendable, Hashable {
        var id: ResourceID
        var action: Action
        var fields: [FieldChange]
        var manifest: Manifest?
        var live: LiveObject?
    }

    private var members: CopyOnWrite<Members>

    package var id: ResourceID {
        _read { yield members.value.id }
        _modify { yield &members.value.id }
    }
    package var action: Action {
        _read { yield members.value.action }
        _modify { yield &members.value.action }
    }
    package var fields: [FieldChange] {
        _read { yield members.value.fields }
        _modify { yield &members.value.fields }
    }
    /// What is declared; `nil` for a prune.
    package var manifest: Manifest? {
        _read { yield members.value.manifest }
        _modify { yield &members.value.manifest }
    }
    /// What is there; `nil` for a create.
    package var live: LiveObject? {
        _read { yield members.value.live }
        _modify { yield &members.value.live }
    }

    package init(id: ResourceID, action: Action, fields: [FieldChange] = [], manifest: Manifest? = nil, live: LiveObject? = nil) {
        members = CopyOnWrite(Members(id: id, action: action, fields: fields, manifest: manifest, live: live))
    }
}

/// Why an object is left alone although it differs. A value: shown, stored and counted.
package enum SkipReason: Sendable, Hashable, Codable {
    /// `Prune=false`, or the application's policy does not prune.
    case pruneDisabled
    /// `Prune=confirm` without the approval.
    case pruneUnconfirmed
    /// The object's controller `ownerReference`.
    case ownedByController(String)
    /// Another application's tracking annotation.
    case ownedByApplication(String)
    /// A namespace that still holds objects that this application does not own.
    case namespaceInUse(String)
    /// `Delete=false`: it outlives its application.
    case deleteDisabled
    /// `helm.sh/resource-policy: keep`.
    case keptByHelm
    /// A CustomResourceDefinition takes every object of its kind along, whoever made it.
    case definition
    /// A definition with objects of its kind that stay.
    case definitionInUse(String)
    /// A file that could not be read and may declare the object.
    case sourceUnreadable(SourceLocation)
    /// The sync was of other objects only.
    case notSelected
}
