import ResourceModel

/// A desired state without its manifests.
package struct RenderSummary: Sendable {
    /// `DesiredState.digest`.
    package var digest: String
    /// How many manifests there are.
    package var count: Int
    package var warnings: [Problem]

    package init(_ state: DesiredState) {
        self.init(digest: state.digest, count: state.manifests.count, warnings: state.warnings)
    }

    init(digest: String, count: Int, warnings: [Problem]) {
        self.digest = digest
        self.count = count
        self.warnings = warnings
    }
}
