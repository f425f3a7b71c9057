/// What becomes of an application's objects when the application is deleted.
package enum Cascade: String, Sendable, Hashable, Codable, CaseIterable {
    /// They are deleted, each after the objects that it owns.
    case foreground
    /// They are deleted, and the garbage collector takes what they own later.
    case background
    /// They stay, and belong to no application any more.
    case orphan

    private static let finalizer = "resources-finalizer.argocd.argoproj.io"
    private static let hookFinalizers = ["pre-delete-finalizer.argocd.argoproj.io", "post-delete-finalizer.argocd.argoproj.io"]

    /// What an Application's finalizers ask for; the first one that says something counts, as in Argo CD. `nil` when none does.
    package init?(finalizers: [String]) {
        let found = finalizers.lazy.compactMap { name -> Cascade? in
            switch name {
            case Self.finalizer, Self.finalizer + "/foreground": .foreground
            case Self.finalizer + "/background": .background
            default: nil
            }
        }
        guard let cascade = found.first else { return nil }
        self = cascade
    }

    /// Whether the finalizers say that hooks run around the deletion. Argo CD writes them itself when an application has such hooks.
    package static func namesHooks(_ finalizers: [String]) -> Bool {
        finalizers.contains { name in hookFinalizers.contains { name == $0 || name.hasPrefix($0 + "/") } }
    }
}
