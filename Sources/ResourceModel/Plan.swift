/// The phases of Argo CD's sync, in the order in which they run, and after them those of an application's deletion.
package enum SyncPhase: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    case preSync = "PreSync"
    case sync = "Sync"
    case postSync = "PostSync"
    case syncFail = "SyncFail"
    case preDelete = "PreDelete"
    case delete = "Delete"
    case postDelete = "PostDelete"

    /// Those of a sync.
    package static let ofSync: [SyncPhase] = [.preSync, .sync, .postSync, .syncFail]

    package static func < (left: SyncPhase, right: SyncPhase) -> Bool {
        allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
    }
}

/// One write, decided before anything is written.
package struct PlanStep: Sendable, Hashable {
    package enum Verb: String, Sendable, Hashable, Codable {
        /// Server-side apply.
        case apply
        case create
        /// The object is written whole (`Replace=true`).
        case replace
        /// The object is deleted and made anew (`Replace=true,Force=true`, or a field that cannot be changed).
        case recreate
        case delete
        /// The object stays, and is nobody's any more: label and annotation that say whose it is are taken off.
        case release
    }

    package var verb: Verb
    package var change: Change
    package var phase: SyncPhase
    package var wave: Int
    /// Its place among the steps of its wave that depend on each other (`config.kubernetes.io/depends-on`), from 0.
    package var rank = 0
    /// Set for a hook: it is made anew and waited for, and is no part of the application's state.
    package var hook: Hook?
    /// Recreates the object where the server says that a field cannot be changed (`Force=true`).
    package var force: Bool

    package init(
        verb: Verb, change: Change, phase: SyncPhase = .sync, wave: Int = 0, hook: Hook? = nil, force: Bool = false
    ) {
        self.verb = verb
        self.change = change
        self.phase = phase
        self.wave = wave
        self.hook = hook
        self.force = force
    }
}

/// Steps that run beside each other; the next batch starts when all of these have been written.
package struct PlanBatch: Sendable, Hashable {
    package var kind: GroupKind
    package var steps: [PlanStep]
    package init(kind: GroupKind, steps: [PlanStep]) {
        self.kind = kind
        self.steps = steps
    }
}

/// The steps of one phase, wave and rank; the next ones start when this one's objects are healthy.
package struct PlanWave: Sendable, Hashable {
    package var phase: SyncPhase
    package var number: Int
    package var rank: Int
    package var batches: [PlanBatch]
    /// Objects of this wave that need no write and are not healthy: later waves wait for them too.
    package var awaits: [ResourceID]
    package init(phase: SyncPhase, number: Int, rank: Int = 0, batches: [PlanBatch], awaits: [ResourceID] = []) {
        self.phase = phase
        self.number = number
        self.rank = rank
        self.batches = batches
        self.awaits = awaits
    }
}

/// Why a plan must not be executed as it stands.
package struct Refusal: Sendable, Hashable, Codable, Error, CustomStringConvertible {
    /// `empty-render`, `prune-budget`, `shared-object`, …
    package var code: String
    package var message: String
    package var objects: [ResourceID]
    /// The flag or annotation that permits it.
    package var permit: String?

    package init(code: String, message: String, objects: [ResourceID] = [], permit: String? = nil) {
        self.code = code
        self.message = message
        self.objects = objects
        self.permit = permit
    }

    package var description: String { permit.map { "\(message) (to permit it: \($0))" } ?? message }
}

/// What will be done, step by step: what is shown is what is executed.
package struct Plan: Sendable, Hashable {
    /// A digest over the rendered manifests, the steps, and each object's uid and resourceVersion.
    package var id: String
    /// The digest of the rendered manifests.
    package var desired: String
    package var application: String
    package var revision: Revision
    package var waves: [PlanWave]
    /// Objects that need no write.
    package var unchanged: [ResourceID]
    /// Objects that differ and are left alone, with the reason.
    package var skipped: [Change]
    package var refusals: [Refusal]
    /// uid and resourceVersion of every live object the plan was made from.
    package var preconditions: [ResourceID: Precondition]

    package struct Precondition: Sendable, Hashable, Codable {
        package var uid: String
        package var resourceVersion: String
        package init(uid: String, resourceVersion: String) {
            self.uid = uid
            self.resourceVersion = resourceVersion
        }
    }

    package init(
        id: String, desired: String, application: String, revision: Revision, waves: [PlanWave], unchanged: [ResourceID], skipped: [Change],
        refusals: [Refusal], preconditions: [ResourceID: Precondition]
    ) {
        self.id = id
        self.desired = desired
        self.application = application
        self.revision = revision
        self.waves = waves
        self.unchanged = unchanged
        self.skipped = skipped
        self.refusals = refusals
        self.preconditions = preconditions
    }

    package var steps: [PlanStep] { waves.flatMap { $0.batches.flatMap(\.steps) } }
}

/// A plan that somebody looked at and wants carried out, and no other.
package struct PlanBinding: Sendable, Hashable {
    package var id: String
    package var application: String
    package var commit: String
    package var desired: String
    package var preconditions: [ResourceID: Plan.Precondition]

    package init(id: String, application: String, commit: String, desired: String, preconditions: [ResourceID: Plan.Precondition]) {
        self.id = id
        self.application = application
        self.commit = commit
        self.desired = desired
        self.preconditions = preconditions
    }

    /// What moved since, a sentence each; empty when `plan` is still the bound one.
    package func differences(to plan: Plan) -> [String] {
        guard plan.id != id else { return [] }
        var moved: [String] = []
        if plan.desired != desired {
            moved.append(
                plan.revision.commit == commit
                    ? "commit \(plan.revision.shortCommit) renders other manifests now"
                    : "the manifests of \(plan.revision.shortCommit) are not those of \(commit.prefix(7))")
        }
        for id in Set(plan.preconditions.keys).union(preconditions.keys).sorted() {
            switch (preconditions[id], plan.preconditions[id]) {
            case (nil, _?): moved.append("\(id) is there now")
            case (_?, nil): moved.append("\(id) is gone")
            case (let before?, let now?) where before.uid != now.uid: moved.append("\(id) is another object (uid \(before.uid) was planned for, \(now.uid) is there)")
            case (let before?, let now?) where before.resourceVersion != now.resourceVersion:
                moved.append("\(id) changed (resourceVersion \(before.resourceVersion) was planned for, \(now.resourceVersion) is there)")
            default: break
            }
        }
        return moved.isEmpty ? ["the options or the application's policy differ, so the steps do"] : moved
    }
}
