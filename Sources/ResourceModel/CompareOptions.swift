/// Argo CD's compare options of one resource (the annotation `argocd.argoproj.io/compare-options`).
///
/// `ServerSideDiff` and `IncludeMutationWebhook` are accepted and change nothing: ownership decides what a difference is, and the
/// server's dry run, webhooks included, is asked wherever that is in doubt.
package struct CompareOptions: Sendable, Hashable {
    package static let annotation = "argocd.argoproj.io/compare-options"

    /// An object that is owned and no longer declared does not make the application OutOfSync. A sync that prunes deletes it.
    package var ignoreExtraneous: Bool

    /// - Parameter annotation: options separated by commas; unknown ones are left out.
    package init(annotation: String) {
        ignoreExtraneous = annotation.split(separator: ",").contains { $0.filter { !$0.isWhitespace } == "IgnoreExtraneous" }
    }
}

extension LiveObject {
    package var compareOptions: CompareOptions { CompareOptions(annotation: annotations[CompareOptions.annotation]?.stringValue ?? "") }
}

extension Change {
    /// Whether this makes the application OutOfSync.
    package var isDifference: Bool {
        if action == .unchanged { return false }
        return manifest != nil || !(live?.compareOptions.ignoreExtraneous ?? false)
    }
}
