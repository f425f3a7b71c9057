import Applier
import Desired
import ResourceModel

/// What a caller asks for when an application is to be deleted.
package struct DeletionRequest: Sendable {
    package var name: String
    /// The application as Git declares it; `nil` when it does not, or nobody can read it.
    package var application: Application?
    /// Where it is declared, or may be: then it is deleted only if `allowsDeclared`.
    package var declaration: String?
    package var allowsDeclared: Bool
    /// `nil`: what the application's finalizers say.
    package var cascade: Cascade?
    /// Permits what asks for a confirmation.
    package var isConfirmed: Bool
    package var runsHooks: Bool
    package var trigger: String

    package init(
        name: String, application: Application? = nil, declaration: String? = nil, allowsDeclared: Bool = false, cascade: Cascade? = nil,
        isConfirmed: Bool = false, runsHooks: Bool = true, trigger: String = "cli"
    ) {
        self.name = name
        self.application = application
        self.declaration = declaration
        self.allowsDeclared = allowsDeclared
        self.cascade = cascade
        self.isConfirmed = isConfirmed
        self.runsHooks = runsHooks
        self.trigger = trigger
    }
}

/// What a deletion will do, looked at before it is done.
package struct Deletion: Sendable {
    package var request: DeletionRequest
    package var plan: Plan
    package var cascade: Cascade
    /// Why it is that cascade: a flag, a finalizer, or that there is none.
    package var reason: String
    /// What a person should know before.
    package var notes: [String]
    /// Whether anything of the application is in the cluster, be it an empty inventory.
    package var isKnown: Bool
    var inventory: Inventory
    /// The digest of all PreDelete hooks.
    var hooks: String
    var options: SyncOptions

    /// The plan as somebody looked at it.
    package var binding: PlanBinding {
        PlanBinding(
            id: plan.id, application: plan.application, commit: plan.revision.commit, desired: plan.desired, preconditions: plan.preconditions)
    }
}
