/// Argo CD's sync options, of an application (`spec.syncPolicy.syncOptions`) or of one resource (the annotation
/// `argocd.argoproj.io/sync-options`). A field is `nil` where nothing was said.
package struct SyncOptions: Sendable, Hashable {
    /// `Prune=` and `Delete=` have three values.
    package enum Consent: String, Sendable, Hashable {
        case yes = "true"
        case no = "false"
        /// Only after somebody approved it (`argocd.argoproj.io/deletion-approved`).
        case confirm
    }

    package enum Propagation: String, Sendable, Hashable { case foreground, background, orphan }

    package var validate: Bool?
    package var createNamespace: Bool?
    package var prune: Consent?
    package var delete: Consent?
    package var pruneLast: Bool?
    package var prunePropagationPolicy: Propagation?
    package var applyOutOfSyncOnly: Bool?
    package var replace: Bool?
    package var force: Bool?
    package var serverSideApply: Bool?
    package var clientSideApplyMigration: Bool?
    package var respectIgnoreDifferences: Bool?
    package var failOnSharedResource: Bool?
    package var skipDryRunOnMissingResource: Bool?
    /// Of applications, and this program's own: a sync that fails brings back what the last good one had applied.
    package var atomic: Bool?
    /// Of applications, and this program's own: the tasks that the application declares may be run.
    package var runTasks: Bool?

    package init() {}

    /// The annotation that holds a resource's own options, separated by commas.
    package static let annotation = "argocd.argoproj.io/sync-options"

    /// Reads options; what cannot be read is left out and told in `unreadable`, a sentence for each.
    package init(parsing options: [String], unreadable: inout [String]) {
        self.init()
        for option in options {
            if let reason = read(option) { unreadable.append(reason) }
        }
    }

    /// The options in a resource's annotation; unreadable ones are left out.
    package init(annotation: String) {
        var ignored: [String] = []
        self.init(parsing: annotation.split(separator: ",").map(String.init), unreadable: &ignored)
    }

    /// These options with every one that `resource` states taken from there: a resource's own options win.
    package func overridden(by resource: SyncOptions) -> SyncOptions {
        var result = self
        result.validate = resource.validate ?? validate
        result.createNamespace = resource.createNamespace ?? createNamespace
        result.prune = resource.prune ?? prune
        result.delete = resource.delete ?? delete
        result.pruneLast = resource.pruneLast ?? pruneLast
        result.prunePropagationPolicy = resource.prunePropagationPolicy ?? prunePropagationPolicy
        result.applyOutOfSyncOnly = resource.applyOutOfSyncOnly ?? applyOutOfSyncOnly
        result.replace = resource.replace ?? replace
        result.force = resource.force ?? force
        result.serverSideApply = resource.serverSideApply ?? serverSideApply
        result.clientSideApplyMigration = resource.clientSideApplyMigration ?? clientSideApplyMigration
        result.respectIgnoreDifferences = resource.respectIgnoreDifferences ?? respectIgnoreDifferences
        result.failOnSharedResource = resource.failOnSharedResource ?? failOnSharedResource
        result.skipDryRunOnMissingResource = resource.skipDryRunOnMissingResource ?? skipDryRunOnMissingResource
        result.atomic = resource.atomic ?? atomic
        result.runTasks = resource.runTasks ?? runTasks
        return result
    }

    /// The names of all options, as they are written.
    package static let names = [
        "Validate", "CreateNamespace", "Prune", "Delete", "PruneLast", "PrunePropagationPolicy", "ApplyOutOfSyncOnly", "Replace",
        "Force", "ServerSideApply", "ClientSideApplyMigration", "RespectIgnoreDifferences", "FailOnSharedResource",
        "SkipDryRunOnMissingResource", "Atomic", "RunTasks",
    ]

    /// Takes one `Name=value`; a sentence when it cannot.
    private mutating func read(_ option: String) -> String? {
        let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(Self.trimmed)
        guard let name = parts.first, !name.isEmpty else { return "an empty sync option" }
        guard parts.count == 2 else { return "sync option `\(name)` has no value: write `\(name)=true`" }
        let value = parts[1]
        switch name {
        case "Prune", "Delete":
            guard let consent = Consent(rawValue: value) else { return Self.refusal(name, value, "true, false or confirm") }
            if name == "Prune" { prune = consent } else { delete = consent }
            return nil
        case "PrunePropagationPolicy":
            guard let policy = Propagation(rawValue: value) else {
                return Self.refusal(name, value, "foreground, background or orphan")
            }
            prunePropagationPolicy = policy
            return nil
        default:
            guard let field = Self.switches[name] else { return "unknown sync option `\(name)`" }
            guard value == "true" || value == "false" else { return Self.refusal(name, value, "true or false") }
            self[keyPath: field] = value == "true"
            return nil
        }
    }

    private static var switches: [String: WritableKeyPath<SyncOptions, Bool?>] {
        [
            "Validate": \.validate, "CreateNamespace": \.createNamespace, "PruneLast": \.pruneLast,
            "ApplyOutOfSyncOnly": \.applyOutOfSyncOnly, "Replace": \.replace, "Force": \.force,
            "ServerSideApply": \.serverSideApply, "ClientSideApplyMigration": \.clientSideApplyMigration,
            "RespectIgnoreDifferences": \.respectIgnoreDifferences, "FailOnSharedResource": \.failOnSharedResource,
            "SkipDryRunOnMissingResource": \.skipDryRunOnMissingResource, "Atomic": \.atomic, "RunTasks": \.runTasks,
        ]
    }

    private static func refusal(_ name: String, _ value: String, _ choices: String) -> String {
        "sync option `\(name)=\(value)`: the value must be \(choices)"
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
