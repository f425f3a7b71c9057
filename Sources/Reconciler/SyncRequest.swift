import Applier
import ResourceModel

/// What a caller asks for beyond the application's own policy.
package struct SyncRequest: Sendable {
    /// Where a run ends.
    package enum Extent: Sendable { case compare, plan, execute }

    package var extent: Extent
    /// Deletes what Git no longer declares, also where the application's policy does not.
    package var prune: Bool?
    package var allowEmpty: Bool
    package var pruneBudget: Int?
    package var adopt: Bool
    /// Permits what asks for a confirmation.
    package var isConfirmed: Bool
    package var hooks: PlanPolicy.Hooks
    /// The plan to carry out; any other one is refused.
    package var plan: PlanBinding?
    /// Waits after the run until everything is healthy, at most this long.
    package var waitForHealth: Duration?
    /// Manifests of the history, to be applied in place of what Git declares; the application is held then.
    package var pinned: DesiredState?
    /// Ends after compare, without a report, while the application is held: nobody asked for this run.
    package var respectsHold = false
    /// `cli`, `push`, `drift`, `timer`.
    package var trigger: String

    package init(
        extent: Extent = .execute, prune: Bool? = nil, allowEmpty: Bool = false, pruneBudget: Int? = nil, adopt: Bool = false,
        isConfirmed: Bool = false, hooks: PlanPolicy.Hooks = .whenNeeded, waitForHealth: Duration? = nil, pinned: DesiredState? = nil, trigger: String = "cli"
    ) {
        self.extent = extent
        self.prune = prune
        self.allowEmpty = allowEmpty
        self.pruneBudget = pruneBudget
        self.adopt = adopt
        self.isConfirmed = isConfirmed
        self.hooks = hooks
        self.waitForHealth = waitForHealth
        self.pinned = pinned
        self.trigger = trigger
    }
}

/// Where a run ended: with the differences, with a plan, or with a report.
package struct Reconciliation: Sendable {
    package var desired: DesiredState
    package var live: LiveState
    package var changes: [Change]
    package var plan: Plan?
    package var report: SyncReport?
    /// What kept the application from being synced without being asked, before this run.
    package var hold: Hold?

    package var hasDifferences: Bool { changes.contains(where: \.isDifference) }
}
