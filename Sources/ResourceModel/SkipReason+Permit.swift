extension SkipReason {
    /// A stable word for programs.
    package var code: String {
        switch self {
        case .pruneDisabled: "prune-disabled"
        case .pruneUnconfirmed: "prune-unconfirmed"
        case .ownedByController: "owned-by-controller"
        case .ownedByApplication: "owned-by-application"
        case .namespaceInUse: "namespace-in-use"
        case .sourceUnreadable: "source-unreadable"
        case .deleteDisabled: "delete-disabled"
        case .keptByHelm: "kept-by-helm"
        case .definition: "definition"
        case .definitionInUse: "definition-in-use"
        case .notSelected: "not-selected"
        }
    }

    /// The flag, annotation or step that permits it; `nil` where nothing does: another owner decides.
    package var permit: String? {
        switch self {
        case .pruneDisabled: "--prune, syncPolicy.automated.prune: true, or without `Prune=false` among the sync options"
        case .pruneUnconfirmed: "--confirm-prune"
        case .ownedByController: nil
        case .ownedByApplication: "--adopt, after it was removed there"
        case .namespaceInUse: "delete or move what else is in it"
        case .sourceUnreadable(let place): "mend \(place), exclude it, or mark it with `# +argocd:skip-file-rendering`"
        case .deleteDisabled: "without `Delete=false` among the sync options"
        case .keptByHelm: "without the annotation `helm.sh/resource-policy: keep`"
        case .definition: "the sync option `Delete=true` on the definition"
        case .definitionInUse: "delete its other objects first"
        case .notSelected: "leave out --resource, --label and --wave"
        }
    }
}
