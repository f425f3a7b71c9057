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
    /// How many objects may be deleted and made anew although they are a large share.
    package var recreateBudget: Int?
    package var adopt: Bool
    /// Permits what asks for a confirmation.
    package var isConfirmed: Bool
    package var hooks: PlanPolicy.Hooks
    /// The plan to carry out; any other one is refused.
    package var plan: PlanBinding?
    /// Waits after the run until everything is healthy, at most this long.
    package var waitForHealth: Duration?
    /// Manifests to be applied in place of what the branch declares: of the history (`rollback --pin` holds the application then), or
    /// of files on this machine.
    package var pinned: DesiredState?
    /// A branch, tag, commit or version range in place of the application's own.
    package var revision: String?
    /// A revision that was fetched already: nothing is fetched.
    package var fetched: Revision?
    /// What is written; the rest of the application is left as it is.
    package var selection = ResourceSelection()
    /// A sync that fails brings back what the last good one had applied; `nil` leaves it to the sync option `Atomic`.
    package var atomic: Bool?
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
    /// How many objects are as they are declared, where nothing was compared because nothing had moved.
    package var unchanged = 0
    package var report: SyncReport?
    /// What kept the application from being synced without being asked, before this run.
    package var hold: Hold?

    /// How a failed sync was taken back (`atomic`); `nil` when it was not.
    package var restoration: Restoration?

    /// What became of an attempt to take a failed sync back.
    package enum Restoration: Sendable {
        /// The report of the sync that brought the earlier attempt's manifests back.
        case done(SyncReport, attempt: Int64)
        /// Why it could not be tried.
        case impossible(String)
    }

    package var hasDifferences: Bool { changes.contains(where: \.isDifference) }
}
