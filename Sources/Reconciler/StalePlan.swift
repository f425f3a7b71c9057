import ResourceModel

/// A bound plan is not what would be done any more.
package struct StalePlan: ClassifiedError, CustomStringConvertible {
    package var bound: PlanBinding
    /// A sentence for each thing that moved.
    package var moved: [String]
    /// The next thing to try, where it is not another plan of a sync.
    package var retry: String?

    package var failureKind: FailureKind { .refused }
    package var description: String {
        let shown = moved.prefix(20).joined(separator: "; ") + (moved.count > 20 ? "; and \(moved.count - 20) more" : "")
        return "plan \(bound.id) of \(bound.application) is stale, nothing was written: \(shown) (\(retry ?? "make a new plan: reconciler plan --app \(bound.application) -o json"))"
    }
}
