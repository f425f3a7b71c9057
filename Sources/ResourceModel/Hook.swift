/// When a manifest is a hook: an object that is made anew in some phases of a sync and is no part of the application's state.
///
/// Argo CD's annotations, and Helm's where no Argo CD hook is named (https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#helm-hooks).
package struct Hook: Sendable, Hashable {
    /// When a hook's object is deleted.
    package enum DeletePolicy: String, Sendable, Hashable, CaseIterable {
        /// Before the hook runs again; what a hook without a policy means.
        case beforeHookCreation = "BeforeHookCreation"
        case hookSucceeded = "HookSucceeded"
        case hookFailed = "HookFailed"
    }

    /// The moments of an application's deletion at which a hook runs.
    package enum Deletion: String, Sendable, Hashable {
        case preDelete = "PreDelete"
        case postDelete = "PostDelete"

        package var phase: SyncPhase { self == .preDelete ? .preDelete : .postDelete }
    }

    /// The phases of a sync in which it runs; none for a hook that runs at deletion only, or never.
    package var phases: [SyncPhase]
    package var deletions: [Deletion]
    package var deletePolicies: Set<DeletePolicy>

    package static let annotation = "argocd.argoproj.io/hook"
    package static let deletePolicyAnnotation = "argocd.argoproj.io/hook-delete-policy"
    /// Argo CD's finalizer on hooks; only Argo CD would take it away.
    package static let finalizer = "argocd.argoproj.io/hook-finalizer"
    private static let helmAnnotation = "helm.sh/hook"
    private static let helmDeletePolicyAnnotation = "helm.sh/hook-delete-policy"

    /// `nil` for an ordinary resource, one with words that name no hook included.
    package init?(annotations: JSONObject) {
        guard !annotations.isEmpty else { return nil }
        var names = Self.words(annotations[Self.annotation])
        names = names.filter { $0 == "Skip" || SyncPhase.ofSync.map(\.rawValue).contains($0) || Deletion(rawValue: $0) != nil }
        if names.isEmpty {
            let helm = Self.words(annotations[Self.helmAnnotation])
            guard !helm.isEmpty, helm != ["crd-install"] else { return nil }
            // `test` and `rollback` hooks are hooks that never run.
            names = helm.compactMap { Self.helmNames[$0] }
        }
        phases = SyncPhase.ofSync.filter { names.contains($0.rawValue) }
        deletions = names.compactMap(Deletion.init).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        deletePolicies = Set(Self.words(annotations[Self.deletePolicyAnnotation]).compactMap(DeletePolicy.init))
        deletePolicies.formUnion(Self.words(annotations[Self.helmDeletePolicyAnnotation]).compactMap { Self.helmPolicies[$0] })
        if deletePolicies.isEmpty { deletePolicies = [.beforeHookCreation] }
    }

    private static let helmNames = [
        "pre-install": "PreSync", "pre-upgrade": "PreSync", "post-install": "PostSync", "post-upgrade": "PostSync",
        "pre-delete": "PreDelete", "post-delete": "PostDelete",
    ]
    private static let helmPolicies: [String: DeletePolicy] = [
        "before-hook-creation": .beforeHookCreation, "hook-succeeded": .hookSucceeded, "hook-failed": .hookFailed,
    ]

    /// A comma list without the white space around its words.
    private static func words(_ value: JSONValue?) -> [String] {
        (value?.stringValue ?? "").split(separator: ",").map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
    }
}

extension Manifest {
    package var hook: Hook? { Hook(annotations: annotations) }

    /// Argo CD's wave, or Helm's weight of a hook; 0 where neither is a number.
    package var wave: Int { syncWave(of: annotations) }
}

/// `argocd.argoproj.io/sync-wave`, else `helm.sh/hook-weight`, else 0.
package func syncWave(of annotations: JSONObject) -> Int {
    if let text = annotations["argocd.argoproj.io/sync-wave"]?.stringValue { return Int(text.filter { !$0.isWhitespace }) ?? 0 }
    return annotations["helm.sh/hook-weight"]?.stringValue.flatMap { Int($0.filter { !$0.isWhitespace }) } ?? 0
}
