import Applier
import ResourceModel

/// One writer for each application (docs/lease.md).
extension ReconcileOnce {
    /// The lease under which a plan is carried out.
    enum Turn {
        /// Nothing is to be written, so nobody is asked.
        case notNeeded
        case held(ApplicationLease)
        /// Another writer was there first: what was seen before is out of date.
        case afterAnother(ApplicationLease)
    }

    /// - Parameter held: the lease that this run has already.
    /// - Throws: `LeaseHeld` when another writer does not end in time.
    func turn(for plan: Plan, inventory: Inventory, held: ApplicationLease?) async throws -> Turn {
        guard plan.refusals.isEmpty, !plan.steps.isEmpty else { return .notNeeded }
        if let held { return .held(held) }
        let lease = try await applier.lease(on: plan.application, isFirst: inventory.groupKinds.isEmpty, options: leasing)
        return lease.hadToWait ? .afterAnother(lease) : .held(lease)
    }

    /// Runs a whole reconciliation under a lease that was waited for, and gives it back.
    func again<Result>(under lease: ApplicationLease, _ body: () async throws -> Result) async throws -> Result {
        do {
            let result = try await body()
            await lease.release()
            return result
        } catch {
            await lease.release()
            throw error
        }
    }
}
